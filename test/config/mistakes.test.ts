import { describe, expect, it } from "vitest";
import { render } from "../../src/config/render.ts";
import { errorsOf, problemsOf } from "./support.ts";

const TEN_MISTAKES = `gateway:
  id: Green House
mqtt:
  url: tcp://broker.local:1883
  kepp_alive: 30s
store:
  commit_window: 5
  when_full: drop_oldets
devices:
  - id: climate
    driver: bme280
    address: 76
  - id: climate
    driver: sht45
    interval: 10ms
  - id: door
    driver: digtal-input
    pin: 17
  - id: window
    driver: digital-input
    pin: 4
    invert: yes
  - id: pump
    driver: digital-output
    pin: 4
`;

describe("a file with many mistakes", () => {
  it("tells all of them at once, each with line and column", () => {
    expect(errorsOf(TEN_MISTAKES)).toEqual([
      "2:7 `id: Green House`: expected an id: a to z, 0 to 9, `_` and `-`, at most 64",
      "4:8 `url: tcp://broker.local:1883`: expected mqtt, mqtts, ws or wss before `://`; did you mean `mqtt://`?",
      "5:3 unknown key `kepp_alive` in mqtt; did you mean `keep_alive`?",
      "7:18 `commit_window: 5`: expected a duration with its unit, such as 500ms, 30s, 10m or 24h; did you mean `5s`?",
      "8:14 `when_full: drop_oldets`: expected one of `drop_oldest`, `refuse_newest`; did you mean `drop_oldest`?",
      "12:14 `address: 76`: a bme280 has 0x76 or 0x77; did you mean `0x76`?",
      "13:9 the id `climate` is taken already by devices[0]: every device has an id of its own",
      "15:15 `interval: 10ms`: this sensor can be read every 100ms at most",
      "17:13 `driver: digtal-input`: there is no such driver; did you mean `digital-input`?",
      "22:13 `invert: yes`: expected true or false; did you mean `true`?",
      "25:10 pin 4 is taken already by `window`: a pin serves one device",
    ]);
  });

  it("shows each line with a caret under the place", () => {
    const text = render(problemsOf(TEN_MISTAKES), { color: false });

    expect(text).toContain(
      [
        "gateway.yaml:5:3: error: unknown key `kepp_alive` in mqtt; did you mean `keep_alive`?",
        "    5 |   kepp_alive: 30s",
        "      |   ^^^^^^^^^^",
      ].join("\n"),
    );
    expect(text).toContain(["   25 |     pin: 4", "      |          ^"].join("\n"));
  });

  it("colours only where it is asked to", () => {
    const problems = problemsOf(TEN_MISTAKES);

    expect(render(problems, { color: false })).not.toContain("\x1b");
    expect(render(problems, { color: true })).toContain("\x1b[31m^^^^^^^^^^\x1b[0m");
  });

  it("says how many it left out where they are too many to read", () => {
    const text = `mqtt:\n${Array.from({ length: 150 }, (_, index) => `  nonsense_${index}: 1\n`).join("")}`;

    expect(render(problemsOf(text), { color: false })).toMatch(/\nand 50 more$/);
  });

  it("ends at 200 problems, and says so", () => {
    const text = `mqtt: { ${Array.from({ length: 50_000 }, (_, index) => `nonsense_${index}: 1`).join(", ")} }`;
    const problems = problemsOf(text);

    expect(problems).toHaveLength(201);
    expect(problems.at(-1)?.message).toBe("there is more than these 200: correct them first");
  });

  it("keeps the caret in sight on a very long line", () => {
    const [, line = "", caret = ""] = render(problemsOf(`mqtt: { ${" ".repeat(400)}nonsense: 1 }`), {
      color: false,
    }).split("\n");

    expect(line.length).toBeLessThan(140);
    expect(line.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("nonsense");
  });

  it("does not let the file steer the terminal", () => {
    const [problem] = problemsOf('mqtt: { "a\\e[2Jb": 1 }');

    expect(render(problem ? [problem] : [], { color: false })).not.toContain("\x1b");
  });
});

describe("a mistake that could hide another", () => {
  it("is told beside it: a key twice, an unknown one, a bad duration and a bad address in one device", () => {
    const text = `devices:
  - id: a
    driver: bme280
    interval: 10
    name: A
    name: B
    intervall: 5s
    address: 0x80
    offline_after: soon
`;
    expect(errorsOf(text).map((error) => error.split(" ")[0])).toEqual(["4:15", "6:5", "7:5", "8:14", "9:20"]);
  });

  it("is told beside it: what every device has, where the driver is not known", () => {
    const text = `devices:
  - id: A
    driver: nonsense
    interval: 5
    qos: 3
    channels: { temperature: { decimal: 1 } }
`;
    expect(errorsOf(text).map((error) => error.split(" ")[0])).toEqual(["2:9", "3:13", "4:15", "5:10", "6:32"]);
  });
});

describe("an unknown key", () => {
  it.each([
    ["mqqt: {}", "1:1 unknown key `mqqt`; did you mean `mqtt`?"],
    ["homeAssistant: {}", "1:1 unknown key `homeAssistant`; did you mean `home_assistant`?"],
    ["store: { comit_window: 5s }", "1:10 unknown key `comit_window` in store; did you mean `commit_window`?"],
    ["broker: { limits: { sesions: 3 } }", "1:21 unknown key `sesions` in broker.limits; did you mean `sessions`?"],
    [
      "devices: [{ id: a, driver: sht40, precison: low }]",
      "1:35 unknown key `precison` in devices[0]; did you mean `precision`?",
    ],
  ])("in `%s` is told with its likely meaning", (text, expected) => {
    expect(errorsOf(text)).toEqual([expected]);
  });

  it("lists what there is where nothing is near", () => {
    expect(errorsOf("log: { colour: true }")).toEqual(["1:8 unknown key `colour` in log; there is `level`"]);
  });

  it("says why certificates are always verified", () => {
    const [error] = errorsOf("mqtt: { url: 'mqtts://h', tls: { insecure_skip_verify: true } }");

    expect(error).toMatch(/^1:34 unknown key `insecure_skip_verify` in mqtt.tls: the certificate is always verified/);
  });
});

describe("a key that is missing", () => {
  it("is told at the mapping that lacks it", () => {
    expect(errorsOf("devices:\n  - driver: sht4x\n")).toEqual(["2:5 `id` is missing in devices[0]"]);
    expect(errorsOf("devices:\n  - id: a\n    drivr: sht4x\n")).toEqual([
      "2:5 `driver` is missing in devices[0]; is it what `drivr` was meant to be?",
    ]);
  });
});

describe("a value of another type", () => {
  it.each([
    ["gateway: { id: 42 }", "1:16 `id: 42`: expected text: put it in quotes"],
    ["gateway: { name: 0123 }", "1:18 `name: 0123`: expected text: put it in quotes"],
    ["gateway: { name: true }", "1:18 `name: true`: expected text: put it in quotes"],
    ["web: { port: '8080' }", "1:14 `port: '8080'`: expected a number, without quotes"],
    ["web: { port: 80.5 }", "1:14 `port: 80.5`: expected a whole number"],
    ["web: { port: 70000 }", "1:14 `port: 70000`: expected at most 65535"],
    ["web: { enabled: on }", "1:17 `enabled: on`: expected true or false; did you mean `true`?"],
    ["mqtt: [1]", "1:7 `mqtt`: expected a mapping (`key: value` lines, indented)"],
    ["devices: { a: 1 }", "1:10 `devices`: expected a list (lines that begin with `- `)"],
    ["log: { level: trace }", "1:15 `level: trace`: expected one of `debug`, `info`, `warn`, `error`"],
    [
      "log: { level: warning }",
      "1:15 `level: warning`: expected one of `debug`, `info`, `warn`, `error`; did you mean `warn`?",
    ],
    ["mqtt: { qos: { state: 3 } }", "1:23 `state: 3`: expected one of `0`, `1`, `2`"],
    ["devices: [{ id: a, driver: sht4x, qos: 3 }]", /^1:40 `qos: 3`: expected one of `0`, `1`, `2`, or a mapping/],
    ["mqtt: { publish: [state, readings, events] }", "1:36 `publish: events`: expected one of `state`, `readings`"],
    ["mqtt: { publish: [state, state] }", "1:18 `publish`: one of them is here twice"],
    ["mqtt: { publish: [state, events] }", "1:26 `publish: events`: expected one of `state`, `readings`"],
    ["gateway: { name: }", "1:12 `name`: expected text; there is no value here"],
    ["removed_devices: { grace: later }", /^1:27 `grace: later`: expected/],
  ])("in `%s` is told with what was expected", (text, expected) => {
    const errors = errorsOf(text);

    expect(errors).toHaveLength(1);
    if (typeof expected === "string") expect(errors).toEqual([expected]);
    else expect(errors[0]).toMatch(expected);
  });
});
