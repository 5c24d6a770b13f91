import { expect, test } from "vitest";
import { formatDurationMs, parseDurationMs } from "../../src/core/duration.ts";

test.each([
  ["50ms", 50],
  ["30s", 30_000],
  ["1.5s", 1500],
  ["10m", 600_000],
  ["24h", 86_400_000],
  ["90d", 7_776_000_000],
  ["2w", 1_209_600_000],
  ["1h30m", 5_400_000],
  ["0", 0],
])("%s is %d ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each(["", "30", "5 s", "-5s", "s", "5x", "1.s", "1e3s"])("%j is no duration", (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});

test.each([0, 1, 50, 1500, 90_000, 5_400_000, 86_400_000, 604_800_000])(
  "%d ms is written so that it reads back",
  (ms) => {
    expect(parseDurationMs(formatDurationMs(ms))).toBe(ms);
  },
);
