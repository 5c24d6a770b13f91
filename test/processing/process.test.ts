import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExpression } from "../../src/processing/expression/parse.ts";
import { beginProcessing, type Plan, type ProcessState, processSample } from "../../src/processing/process.ts";
import type { StepSettings } from "../../src/processing/step.ts";

const PERIOD_MS = 10_000;

/** What comes out of these steps for a value each ten seconds; `undefined` where nothing does. */
function through(steps: readonly StepSettings[], values: readonly number[], periodMs = PERIOD_MS) {
  const plan: Plan = { channels: { x: steps }, computed: {} };
  let state = beginProcessing(plan, "boot");
  return values.map((x, index) => {
    const result = processSample(plan, state, { values: { x } }, 1_000_000 + index * periodMs);
    state = result.state;
    return result.sample?.values.x;
  });
}

const calibrate = { step: "calibrate", scale: 1, offset: 0 } as const;

describe("a step", () => {
  test("calibrate scales, then adds", () => {
    expect(through([{ ...calibrate, scale: 2, offset: -0.5 }], [0, 10])).toEqual([-0.5, 19.5]);
  });

  test("calibrate follows points, and the outer lines beyond them", () => {
    const points = [
      [0, 10],
      [10, 20],
      [20, 50],
    ] as const;
    expect(through([{ ...calibrate, points }], [-10, 0, 5, 10, 15, 20, 30])).toEqual([0, 10, 15, 20, 35, 50, 80]);
  });

  test("median takes an outlier away", () => {
    expect(through([{ step: "median", count: 3 }], [1, 2, 99, 3, 4])).toEqual([1, 1.5, 2, 3, 4]);
  });

  test("mean is that of the last values", () => {
    expect(through([{ step: "mean", count: 2 }], [1, 3, 5, 5])).toEqual([1, 2, 4, 5]);
  });

  test("exponential weighs a new value by its factor", () => {
    expect(through([{ step: "exponential", factor: 0.5 }], [0, 8, 8])).toEqual([0, 4, 6]);
  });

  test("exponential with a time constant weighs by the time that went by, however it was cut", () => {
    const slow = { step: "exponential", timeConstantMs: 10_000 } as const;
    const [, once] = through([slow], [0, 1], 20_000);
    const [, , twice] = through([slow], [0, 1, 1], 10_000);
    expect(once).toBeCloseTo(1 - Math.exp(-2), 12);
    expect(twice).toBeCloseTo(once as number, 12);
  });

  test("round and clamp", () => {
    expect(through([{ step: "round", decimals: 1 }], [1.26, -0.04])).toEqual([1.3, 0]);
    expect(through([{ step: "clamp", min: 0, max: 5 }], [-1, 3, 9])).toEqual([0, 3, 5]);
  });

  test("range lets nothing through that is outside", () => {
    expect(through([{ step: "range", min: 0 }], [-1, 0, 1e9])).toEqual([undefined, 0, 1e9]);
  });

  test("spike throws one away, and follows where several agree", () => {
    const spike = { step: "spike", change: 5, confirm: 3 } as const;
    expect(through([spike], [20, 99, 21])).toEqual([20, undefined, 21]);
    expect(through([spike], [20, 40, 41, 42, 43])).toEqual([20, undefined, undefined, 42, 43]);
    expect(through([spike], [20, 40, 80, 120, 160])).toEqual([20, undefined, undefined, undefined, undefined]);
  });

  test("deadband keeps what changed enough, and one now and then", () => {
    const deadband = { step: "deadband", change: 1 } as const;
    expect(through([deadband], [5, 5.9, 4.1, 6, 6.5])).toEqual([5, undefined, undefined, 6, undefined]);
    expect(through([{ ...deadband, atLeastEveryMs: 20_000 }], [5, 5, 5, 5, 5])).toEqual([
      5,
      undefined,
      5,
      undefined,
      5,
    ]);
  });

  test("throttle lets one through in its time", () => {
    expect(through([{ step: "throttle", everyMs: 25_000 }], [1, 2, 3, 4, 5])).toEqual([
      1,
      undefined,
      undefined,
      4,
      undefined,
    ]);
  });

  test("derive is the change per unit of time; a counter that fell was reset", () => {
    const rate = { step: "derive", per: "min", counter: false } as const;
    expect(through([rate], [10, 11, 9])).toEqual([undefined, 6, -12]);
    expect(through([{ ...rate, counter: true }], [10, 11, 0, 2])).toEqual([undefined, 6, undefined, 12]);
  });

  test("formula has the value and the other channels, and no value where it is none", () => {
    const formula = (text: string) => ({ step: "formula", expression: parseExpression(text) }) as const;
    expect(through([formula("value * 2 + x")], [1, 2])).toEqual([3, 6]);
    expect(through([formula("1 / value")], [0, 2])).toEqual([undefined, 0.5]);
  });
});

describe("aggregate", () => {
  const plan = (give: readonly ("mean" | "min" | "max" | "count")[]): Plan => ({
    channels: { x: [{ step: "aggregate", windowMs: 30_000, give }] },
    computed: {},
  });

  test("gives one value a window, and further statistics as channels of their own", () => {
    const given = plan(["mean", "min", "max", "count"]);
    let state = beginProcessing(given, "boot");
    const out = [1, 2, 6, 10, 20, 30, 40].map((x, index) => {
      const result = processSample(given, state, { values: { x }, quality: { x: "warming" } }, index * PERIOD_MS);
      state = result.state;
      return result.sample;
    });
    expect(out.map((sample) => sample?.values)).toEqual([
      undefined,
      undefined,
      undefined,
      { x: 3, x_min: 1, x_max: 6, x_count: 3 },
      undefined,
      undefined,
      { x: 20, x_min: 10, x_max: 30, x_count: 3 },
    ]);
    expect(out[3]?.quality).toEqual({ x: "warming", x_min: "warming", x_max: "warming", x_count: "warming" });
  });

  test("keeps its windows where they were when values are missing", () => {
    const given = plan(["count"]);
    let state = beginProcessing(given, "boot");
    const counts = [0, 10, 65, 70, 89, 90].map((seconds) => {
      const result = processSample(given, state, { values: { x: 1 } }, seconds * 1000);
      state = result.state;
      return result.sample?.values.x;
    });
    expect(counts).toEqual([undefined, undefined, 2, undefined, undefined, 3]);
  });

  test("loses nothing: the counts of all windows and what is still open are all values", () => {
    const given = plan(["count"]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 50 }), (gaps) => {
        let state = beginProcessing(given, "boot");
        let atMs = 0;
        let told = 0;
        for (const gap of gaps) {
          atMs += gap;
          const result = processSample(given, state, { values: { x: 1 } }, atMs);
          state = result.state;
          told += (result.sample?.values.x as number | undefined) ?? 0;
        }
        const open = (state.steps.x?.[0] as { count: number } | null)?.count ?? 0;
        expect(told + open).toBe(gaps.length);
      }),
    );
  });
});

describe("a device's processing", () => {
  test("leaves contacts, texts and channels without steps as they are", () => {
    const plan: Plan = { channels: { x: [{ ...calibrate, offset: 1 }], open: [calibrate] }, computed: {} };
    const sample = { values: { x: 1, open: true, name: "a", y: 7 } };
    const { sample: result } = processSample(plan, beginProcessing(plan, "boot"), sample, 0);
    expect(result).toEqual({ values: { x: 2, open: true, name: "a", y: 7 } });
  });

  test("says what was rejected, and publishes nothing where nothing is left", () => {
    const plan: Plan = { channels: { x: [calibrate, { step: "range", max: 5 }] }, computed: {} };
    const { sample, rejected } = processSample(plan, beginProcessing(plan, "boot"), { values: { x: 9 } }, 0);
    expect(sample).toBeUndefined();
    expect(rejected).toEqual([{ channel: "x", step: "range", value: 9 }]);
  });

  test("computes channels of the processed ones, and of each other in order, with their quality", () => {
    const plan: Plan = {
      channels: { t: [{ ...calibrate, offset: -1 }] },
      computed: {
        double: { expression: parseExpression("t * 2"), steps: [{ ...calibrate, offset: 100 }] },
        sum: { expression: parseExpression("double + h"), steps: [] },
      },
    };
    const state = beginProcessing(plan, "boot");
    const first = processSample(plan, state, { values: { t: 11, h: 5 }, quality: { t: "warming" } }, 0);
    expect(first.sample).toEqual({
      values: { t: 10, h: 5, double: 120, sum: 125 },
      quality: { t: "warming", double: "warming", sum: "warming" },
    });
    // What was not measured this time stands as it was.
    const second = processSample(plan, first.state, { values: { h: 6 } }, 10);
    expect(second.sample?.values).toEqual({ h: 6, sum: 126 });
    expect(processSample(plan, second.state, { values: { other: 1 } }, 20).sample?.values).toEqual({ other: 1 });
  });

  test("computes nothing of what has no value yet", () => {
    const plan: Plan = { channels: {}, computed: { sum: { expression: parseExpression("a + b"), steps: [] } } };
    expect(processSample(plan, beginProcessing(plan, "boot"), { values: { a: 1 } }, 0).sample?.values).toEqual({
      a: 1,
    });
  });

  test("in another boot goes on with its values, but not with its times", () => {
    const steps: StepSettings[] = [
      { step: "mean", count: 2 },
      { step: "exponential", timeConstantMs: 1000 },
      { step: "deadband", change: 1, atLeastEveryMs: 60_000 },
    ];
    const plan: Plan = { channels: { x: steps, r: [{ step: "derive", per: "s", counter: false }] }, computed: {} };
    const before = processSample(plan, beginProcessing(plan, "one"), { values: { x: 4, r: 4 } }, 9_000_000);
    const carried = beginProcessing(plan, "two", before.state);
    const { sample } = processSample(plan, carried, { values: { x: 6, r: 9 } }, 5);
    // The mean knows 4; how long ago it was nobody does, so the smoothing takes it whole and the deadband lets it through.
    expect(sample?.values).toEqual({ x: 5 });
  });

  const step = fc.constantFrom<StepSettings>(
    { step: "median", count: 5 },
    { step: "mean", count: 3 },
    { step: "exponential", factor: 0.3 },
    { step: "exponential", timeConstantMs: 30_000 },
    { step: "range", min: -500, max: 500 },
    { step: "clamp", min: -100 },
    { step: "spike", change: 50, confirm: 3 },
    { step: "deadband", change: 2, atLeastEveryMs: 45_000 },
    { step: "throttle", everyMs: 25_000 },
    { step: "aggregate", windowMs: 30_000, give: ["mean", "max"] },
    { step: "derive", per: "h", counter: true },
    { step: "formula", expression: parseExpression("1000 / value") },
  );
  const history = fc.array(
    fc.tuple(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 60_000 })),
    {
      maxLength: 30,
    },
  );

  test("gives only finite numbers, and the same when its state went through JSON at any time, for any steps", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), history, (steps, values) => {
        const plan: Plan = { channels: { x: steps }, computed: {} };
        let kept: ProcessState = beginProcessing(plan, "boot");
        let restored: ProcessState = kept;
        let atMs = 0;
        for (const [x, gapMs] of values) {
          atMs += gapMs;
          const one = processSample(plan, kept, { values: { x } }, atMs);
          const other = processSample(plan, restored, { values: { x } }, atMs);
          expect(other).toEqual(one);
          for (const value of Object.values(one.sample?.values ?? {})) expect(Number.isFinite(value)).toBe(true);
          kept = one.state;
          restored = beginProcessing(plan, "boot", JSON.parse(JSON.stringify(other.state)));
        }
      }),
      {
        numRuns: 500,
        examples: [
          [
            [
              { step: "median", count: 5 },
              { step: "median", count: 5 },
            ],
            [
              [5.4e-323, 0],
              [-6e-323, 0],
              [0, 0],
            ],
          ],
        ],
      },
    );
  });

  test("median and mean stay within what was measured", () => {
    const smoothing = fc.constantFrom<StepSettings>({ step: "median", count: 5 }, { step: "mean", count: 4 });
    fc.assert(
      fc.property(smoothing, fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 }), (one, values) => {
        for (const value of through([one], values) as number[]) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
          expect(value).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
        }
      }),
    );
  });
});
