import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/reading.ts";
import { answered, noAnswers } from "../../src/sampling/damage.ts";
import { continued, isStuck, type Runs } from "../../src/sampling/stuck.ts";

const HOUR_MS = 3_600_000;
const none: Runs = new Map();

/** The runs after these samples, one a minute from 0 on. */
function runsOf(samples: readonly Sample[]): Runs {
  return samples.reduce((runs, sample, minute) => continued(runs, sample, minute * 60_000), none);
}
const times = (count: number, sample: Sample) => Array.from({ length: count }, () => sample);

describe("a channel that stands still", () => {
  const still: Sample = { values: { t: 21.5 } };

  it("is stuck after its time, not before", () => {
    const runs = runsOf(times(60, still));

    expect(isStuck(runs.get("t"), HOUR_MS, HOUR_MS - 1)).toBe(false);
    expect(isStuck(runs.get("t"), HOUR_MS, HOUR_MS)).toBe(true);
  });

  it("is not stuck after a few looks, however far apart", () => {
    const runs = runsOf(times(19, still));

    expect(isStuck(runs.get("t"), HOUR_MS, 24 * HOUR_MS)).toBe(false);
  });

  it("is never stuck where nothing is said", () => {
    expect(isStuck(runsOf(times(100, still)).get("t"), undefined, 1e12)).toBe(false);
  });

  it.each([
    ["one other value in between", { values: { t: 21.6 } }],
    ["the end of its range in between", { values: { t: 21.5 }, quality: { t: "saturated" } }],
  ] as const)("begins anew after %s", (_what, other) => {
    const runs = runsOf([...times(59, still), other, still]);

    expect(isStuck(runs.get("t"), HOUR_MS, HOUR_MS)).toBe(false);
  });

  it("stays in its run while a reading is missing", () => {
    const runs = runsOf([...times(30, still), { values: {} }, ...times(30, still)]);

    expect(isStuck(runs.get("t"), HOUR_MS, HOUR_MS)).toBe(true);
  });

  it("is one whose values have all been equal, whatever they are", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(1, 2), { minLength: 20, maxLength: 60 }), (values) => {
        const runs = runsOf(values.map((t) => ({ values: { t } })));
        const newest = values.slice(values.lastIndexOf(values.at(-1) === 1 ? 2 : 1) + 1);
        const stoodMs = (newest.length - 1) * 60_000;
        const nowMs = (values.length - 1) * 60_000;

        expect(isStuck(runs.get("t"), stoodMs, nowMs)).toBe(newest.length >= 20);
        expect(isStuck(runs.get("t"), stoodMs + 1, nowMs)).toBe(false);
      }),
    );
  });
});

describe("the share of damaged answers", () => {
  const judged = (answers: readonly boolean[], limit = 10) =>
    answers.reduce((state, isDamaged) => answered(state, isDamaged, limit), noAnswers);
  const sound = (count: number) => times(count, { values: {} }).map(() => false);

  it("is not judged before there are twenty", () => {
    expect(judged([true, true, ...sound(17)]).isHigh).toBe(false);
    expect(judged([true, true, true, ...sound(17)]).isHigh).toBe(true);
  });

  it("is well again at half the limit", () => {
    const high = [...sound(89), ...Array.from({ length: 11 }, () => true)];

    expect(judged(high).isHigh).toBe(true);
    expect(judged([...high, ...sound(94)]).isHigh).toBe(true);
    expect(judged([...high, ...sound(95)]).isHigh).toBe(false);
  });

  it("counts the newest hundred alone, and is high only above half the limit", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), fc.integer({ min: 0, max: 100 }), (answers, limit) => {
        const state = judged(answers, limit);
        const newest = answers.slice(-100);
        const percent = (100 * newest.filter(Boolean).length) / Math.max(1, newest.length);

        expect(state.newest).toEqual(newest);
        if (percent > limit && newest.length >= 20) expect(state.isHigh).toBe(true);
        if (percent <= limit / 2 && newest.length >= 20) expect(state.isHigh).toBe(false);
      }),
    );
  });
});
