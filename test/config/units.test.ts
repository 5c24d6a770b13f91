import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../src/config/suggest.ts";
import { formatSizeBytes, meantDuration, meantSize, parseSizeBytes } from "../../src/config/units.ts";
import { errorsOf, parse } from "./support.ts";

describe("sizes", () => {
  it.each([
    ["0", 0],
    ["1B", 1],
    ["500kB", 500_000],
    ["2MB", 2_000_000],
    ["64MB", 64_000_000],
    ["1.5 MB", 1_500_000],
    ["1KiB", 1024],
    ["256MiB", 268_435_456],
    ["1GiB", 1_073_741_824],
    ["1GB", 1_000_000_000],
    ["1TiB", 2 ** 40],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(["", "1", "MB", "-1MB", "1mb", "1 M", "1e3MB", "1MBit", "0x10MB", "1,5MB", "1MB extra"])(
    "%j is none",
    (text) => {
      expect(parseSizeBytes(text)).toBeUndefined();
    },
  );

  it("are read back as they are written", () => {
    fc.assert(fc.property(fc.nat({ max: 2 ** 40 }), (bytes) => parseSizeBytes(formatSizeBytes(bytes)) === bytes));
  });

  it.each([
    ["10M", "10MB"],
    ["64mb", "64MB"],
    ["1g", "1GB"],
    ["1gib", "1GiB"],
    ["512", "512MB"],
    ["5 KB", "5kB"],
    ["ten", undefined],
  ])("%s was meant as %s", (written, meant) => {
    expect(meantSize(written)).toBe(meant);
  });
});

describe("durations", () => {
  it.each([
    ["0", 0],
    ["50ms", 50],
    ["5s", 5000],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["24h", 86_400_000],
  ])("a commit window of %s is %d ms", (text, ms) => {
    // An hour is the most that a commit window may be.
    const key = ms > 3_600_000 ? "removed_devices: { grace" : "store: { commit_window";
    const { config } = parse(`${key}: ${text} }`);

    expect(ms > 3_600_000 ? config.removedDevices.graceMs : config.store.commitWindowMs).toBe(ms);
  });

  it.each([
    ["30", "30s"],
    ["10 min", "10m"],
    ["5 seconds", "5s"],
    ["10M", "10m"],
    ["2 days", "2d"],
    ["soon", undefined],
  ])("%s was meant as %s", (written, meant) => {
    expect(meantDuration(written)).toBe(meant);
  });

  it("have bounds where there is something to bound", () => {
    expect(errorsOf("mqtt: { keep_alive: 1s }")).toEqual([
      "1:21 `keep_alive: 1s`: expected a duration from 5s to 65535s",
    ]);
  });
});

describe("`unlimited`, `now` and `keep`", () => {
  it("are taken where they are offered", () => {
    const { config } = parse("mqtt: { drain_rate: unlimited }\nremoved_devices: { grace: keep }");

    expect(config.mqtt.drainRate).toBeUndefined();
    expect(config.removedDevices.graceMs).toBe(Number.POSITIVE_INFINITY);
    expect(parse("removed_devices: { grace: now }").config.removedDevices.graceMs).toBe(0);
  });

  it("are refused elsewhere", () => {
    expect(errorsOf("broker: { limits: { sessions: unlimited } }")).toEqual([
      "1:31 `sessions: unlimited`: expected a number",
    ]);
  });
});

describe("did you mean", () => {
  it.each([
    ["intervall", "interval"],
    ["adress", "address"],
    ["hgih", "high"],
    ["sht-40", "sht40"],
    ["BME280", "bme280"],
    ["warning", "warn"],
    ["colour", undefined],
    ["x".repeat(1000), undefined],
  ])("%s: %s", (word, expected) => {
    const known = ["interval", "address", "high", "sht40", "bme280", "warn"];

    expect(nearest(word, known)).toBe(expected);
  });

  it("counts what has to be added, dropped, changed or swapped", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("driver", "dirver")).toBe(1);
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        return (
          distance === editDistance(b, a) && (distance === 0) === (a === b) && distance <= Math.max(a.length, b.length)
        );
      }),
    );
  });
});
