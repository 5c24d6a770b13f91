import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextDueMs, readDeadlineMs, reopenDelayMs } from "../../src/sampling/schedule.ts";

describe("the fixed-rate schedule", () => {
  test("has its slots at whole periods after the origin", () => {
    expect(nextDueMs(100, 10, 100)).toBe(110);
    expect(nextDueMs(100, 10, 109.9)).toBe(110);
    expect(nextDueMs(100, 10, 110)).toBe(120);
  });

  test("skips the slots that a slow read missed instead of piling them up", () => {
    expect(nextDueMs(0, 10, 57)).toBe(60);
  });

  test("never drifts: every slot is a whole number of periods after the origin, and within one period", () => {
    const whole = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(whole, fc.integer({ min: 1, max: 1e6 }), whole, (originMs, periodMs, elapsedMs) => {
        const nowMs = originMs + elapsedMs;
        const dueMs = nextDueMs(originMs, periodMs, nowMs);
        expect((dueMs - originMs) % periodMs).toBe(0);
        expect(dueMs).toBeGreaterThan(nowMs);
        expect(dueMs - nowMs).toBeLessThanOrEqual(periodMs);
      }),
    );
  });
});

test("opening again waits 20 s at the most, so that a replugged device heals within a minute", () => {
  expect(reopenDelayMs(0, () => 0)).toBe(500);
  expect(reopenDelayMs(50, () => 0.999999)).toBeLessThanOrEqual(20_000);
});

test("a read has four times what it is expected to take, two seconds at least, or what its driver says", () => {
  expect(readDeadlineMs({ expectedMs: 30 })).toBe(2_000);
  expect(readDeadlineMs({ expectedMs: 1_000 })).toBe(4_000);
  expect(readDeadlineMs({ expectedMs: 1_000, deadlineMs: 20_000 })).toBe(20_000);
});
