import { describe, expect, it } from "vitest";
import { errorsOf, parse } from "./support.ts";

const DEVICE = "{ id: a, driver: sht4x }";

describe("what YAML has and a configuration does without", () => {
  it.each([
    ["an anchor", `devices: [&x ${DEVICE}]`, "1:11 anchors (`&name`)"],
    ["an alias", "gateway: { name: *x }", "1:18 aliases (`*name`)"],
    ["a merge key", "gateway:\n  <<: { name: x }\n", "2:3 merge keys (`<<`)"],
    ["another tag", "gateway: { name: !!str 5 }", "1:18 unknown tag"],
    ["a tag before a mapping", "gateway: !secret { name: x }", "1:18 a tag stands before text"],
    ["a directive", "%YAML 1.1\n---\nweb: {}", "1:1 directives"],
    ["a second document", "web: {}\n---\nlog: {}\n", "2:1 a second document begins here"],
    ["a tab as indentation", "web:\n\tport: 80\n", "2:1 a tab in the indentation"],
    ["a key that is a number", "web: { 1: x }", "1:8 keys are text"],
    ["a key that is a list", "? [a]\n: b\n", "1:3 keys are text"],
    ["a key twice", "web:\n  port: 80\n  port: 81\n", "3:3 `port` is here twice"],
  ])("%s is refused at its place", (_what, text, expected) => {
    expect(errorsOf(text)[0]?.slice(0, expected.length)).toBe(expected);
  });

  it.each([
    ["two colons in a line", "gateway:\n  name: a: b\n", "2:9 a second `:` in one line"],
    ["a quote left open", "gateway:\n  name: 'a\n", "2:9 this quote is not closed"],
    ["a bracket left open", "mqtt:\n  publish: [state\nweb: {}\n", "2:12 this bracket is not closed"],
    ["text that begins with @", "gateway:\n  name: @home\n", "2:9 text cannot begin with this character"],
    ["a wrong escape", 'gateway:\n  name: "a\\q"\n', "2:11 unknown escape"],
    ["a key without its colon", "gateway:\n  name\n  area: b\n", "2:3 a key must be on one line"],
    ["a bracket too many", "web: }\n", "1:6 this does not belong here"],
  ])("%s is a syntax error with a hint", (_what, text, expected) => {
    expect(errorsOf(text)[0]?.slice(0, expected.length)).toBe(expected);
  });

  it("says one thing about one broken line", () => {
    expect(errorsOf("- a\nb: 1\nc: 2\n").map((error) => error.split(":")[0])).toEqual(["2", "3"]);
  });

  it("still tells the mistakes before and behind a syntax error", () => {
    expect(errorsOf("web:\n  prot: 80\nstore:\n  path: a: b\n  max_sise: 3\n")).toEqual([
      "2:3 unknown key `prot` in web; did you mean `port`?",
      expect.stringMatching(/^4:9 a second `:`/),
      "5:3 unknown key `max_sise` in store; did you mean `max_size`?",
    ]);
  });

  it("tells each of many syntax errors, and the mistakes between them", () => {
    const text = `gateway:
  id: Bad Id
  name: "never closed
mqtt
  url: http://in.a.section.without.its.colon
store:
  commit_window: 5
devices:
  - id: a
    driver: bme280
   interval: 10s
    oversampling: 3
  - id: b
    drivr ds18b20
  - id: c
    driver: digital-input
    pin: 99
\tdebounce: 5ms
    invert: yes
  - { id: d, driver: sht4x, interval: 5
  - id: e
    driver: bme281
    name: it: bad
web:
  port: 99999
`;
    expect(errorsOf(text).map((error) => error.split(" ")[0])).toEqual([
      "2:7",
      "3:9",
      "4:1",
      "7:18",
      "11:4",
      "14:5",
      "17:10",
      "18:1",
      "19:13",
      "20:5",
      "22:13",
      "23:11",
      "25:9",
    ]);
  });

  it.each([
    ["its driver", "devices:\n  - id: a\n    driver sht4x\n    name: A\n"],
    ["its driver, at its end", "devices:\n  - id: a\n    driver sht4x\nlog: {}\n"],
    ["its id", "devices:\n  - id a\n    driver: sht4x\n"],
    ["a tab", "devices:\n  - id: a\n\tdriver: sht4x\n"],
    ["the certificate's key", "mqtt:\n  url: mqtts://h\n  tls:\n    cert: c\n    key k\n"],
    ["the password", "web:\n  address: 0.0.0.0\n  password x\n"],
  ])("does not miss what may stand in the line that it could not read: %s", (_what, text) => {
    expect(errorsOf(text)).toHaveLength(1);
  });

  it.each(["[", "{", "- ", "? ", "a: {", "[a, ", "a: b: "])("refuses %s repeated without end, quickly", (part) => {
    expect(errorsOf(part.repeat(100_000))).toEqual([expect.stringContaining("nested too deep")]);
  });

  it("refuses a staircase of indentation", () => {
    const stairs = Array.from({ length: 400 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n");

    expect(errorsOf(stairs)).toEqual([expect.stringMatching(/^130:1 nested too deep/)]);
  });
});

describe("an empty configuration", () => {
  it.each(["", "\n\n", "# only a comment\n", "---\n", "null\n"])("%j is told what to do", (text) => {
    expect(errorsOf(text)).toEqual([
      "1:1 nothing is configured here: begin with `devices:`, `fieldpost drivers` lists what can be read",
    ]);
  });

  it.each(["just text", "- a\n- b\n", "42"])("%j is told what stands at the top", (text) => {
    expect(errorsOf(text)).toEqual(["1:1 expected sections such as `mqtt:` and `devices:` at the top"]);
  });

  it("takes a section whose keys are all commented out as absent", () => {
    expect(parse("mqtt:\n  # url: mqtt://x\ndevices:\n").config.devices).toEqual([]);
  });
});

describe("YAML 1.2", () => {
  it("reads hexadecimal addresses as numbers", () => {
    const { config } = parse(
      "devices: [{ id: a, driver: bme280, address: 0x77 }, { id: b, driver: bme280, address: '0x76' }]",
    );

    expect(config.devices.map(({ address }) => address)).toEqual([0x77, 0x76]);
  });

  it.each([
    ["off", false],
    ["on", true],
    ["false", false],
    ["true", true],
  ])("takes safe_state: %s in both spellings", (written, expected) => {
    const { config } = parse(`devices: [{ id: a, driver: digital-output, pin: 4, safe_state: ${written} }]`);

    expect(config.devices[0]?.options).toEqual({ pin: 4, safe_state: expected });
  });

  it("counts columns in characters", () => {
    expect(errorsOf("gateway: { name: '🌱🌱', colour: 1 }")[0]).toMatch(/^1:24 /);
  });

  it("takes Windows line ends and a document start", () => {
    expect(parse("---\r\nweb:\r\n  port: 81\r\n").config.web.port).toBe(81);
  });
});
