import { describe, expect, test } from "vitest";
import { createLog, logStyle } from "../../src/service/log.ts";

function capture(style: "journal" | "terminal" | "json", level: "debug" | "info" = "info") {
  const lines: string[] = [];
  return { lines, log: createLog(style, level, (line) => void lines.push(line)) };
}

describe("the log", () => {
  test("gives journald the priority at the start of the line", () => {
    const { lines, log } = capture("journal");
    log.part("uplink").warn("link is down", { reason: "connection refused", attempt: 3 });
    log.error("broken");
    expect(lines).toEqual(['<4>uplink: link is down reason="connection refused" attempt=3\n', "<3>broken\n"]);
  });

  test("gives people the time and the level as a word", () => {
    const { lines, log } = capture("terminal");
    log.info("up");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}up\n$/);
  });

  test("keeps a line a line, whatever is in the fields", () => {
    const { lines, log } = capture("journal");
    log.info("read", { text: "a\nb <0>c" });
    expect(lines).toEqual(['<6>read text="a\\nb <0>c"\n']);
  });

  test.each(["journal", "json"] as const)(
    "lets nobody who chose a field fill it, or steer a terminal (%s)",
    (style) => {
      const { lines, log } = capture(style);
      log.info("client connected", { clientId: "x".repeat(60_000), address: "a\u001b[31m\u009b2J\u202e" });
      const [line = ""] = lines;
      expect(line.length).toBeLessThan(2200);
      expect(line).toContain("60000 characters");
      if (style === "journal") expect(line).toContain(String.raw`address="a\u001b[31m\u{9b}2J\u{202e}"`);
    },
  );

  test("gives programs a line of JSON, which leaves out what is undefined", () => {
    const { lines, log } = capture("json");
    log.part("store").warn("full", { bytes: 12, reason: undefined });
    const { time, ...rest } = JSON.parse(lines.join(""));
    expect(rest).toEqual({ level: 40, part: "store", bytes: 12, msg: "full" });
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test("leaves undefined fields out for people, too", () => {
    const { lines, log } = capture("journal");
    log.info("read", { text: undefined });
    expect(lines).toEqual(["<6>read\n"]);
  });

  test("changes its level while it runs, for all parts or for one", () => {
    const { lines, log } = capture("journal");
    const [store, uplink] = [log.part("store"), log.part("uplink")];
    store.debug("one");
    log.setLevel("debug", "store");
    store.debug("two");
    uplink.debug("three");
    log.setLevel("debug");
    uplink.debug("four");
    expect(lines).toEqual(["<7>store: two\n", "<7>uplink: four\n"]);
  });

  test("speaks journald's language under systemd and ours on a terminal", () => {
    expect(logStyle({ JOURNAL_STREAM: "8:1234" })).toBe("journal");
    expect(logStyle({})).toBe("terminal");
  });
});
