import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutputControl, type OutputPolicy } from "../../src/drivers/output-control.ts";

const policy = (more: Partial<OutputPolicy<boolean>> = {}): OutputPolicy<boolean> => ({
  safe: false,
  minOnMs: 0,
  minOffMs: 0,
  ...more,
});

describe("an output", () => {
  test("follows commands at once, and has nothing to look at again", () => {
    const control = new OutputControl<boolean>(policy(), false, 0);
    control.command(true, 10);
    expect(control.look(10)).toEqual({ state: true, cause: "command", againMs: undefined });
    control.command(false, 20);
    expect(control.look(20)).toEqual({ state: false, cause: "command", againMs: undefined });
  });

  test("is back after a pulse, and a command in between ends it", () => {
    const control = new OutputControl<boolean>(policy(), false, 0);
    control.command(true, 0, { forMs: 500, next: false });
    expect(control.look(0)).toMatchObject({ state: true, againMs: 500 });
    expect(control.look(499)).toMatchObject({ state: true });
    expect(control.look(500)).toEqual({ state: false, cause: "pulse over", againMs: undefined });
    control.command(true, 600, { forMs: 500, next: false });
    control.command(true, 700);
    expect(control.look(5000)).toMatchObject({ state: true });
  });

  test("is away from its safe state for `max_on` at most, however often it is commanded", () => {
    const control = new OutputControl<boolean>(policy({ maxOnMs: 1000 }), false, 0);
    for (let ms = 0; ms < 1000; ms += 100) {
      control.command(true, ms);
      expect(control.look(ms)).toMatchObject({ state: true, againMs: 1000 });
    }
    expect(control.look(1000)).toMatchObject({ state: false, cause: "max_on" });
  });

  test("may have a safe state that is on", () => {
    const control = new OutputControl<boolean>(policy({ safe: true, maxOnMs: 1000 }), true, 0);
    expect(control.look(5000)).toMatchObject({ state: true });
    control.command(false, 5000);
    expect(control.look(5000)).toMatchObject({ state: false, againMs: 6000 });
    expect(control.look(6000)).toMatchObject({ state: true, cause: "max_on" });
  });

  test("is safe again when no controller was heard for `failsafe_after`", () => {
    const control = new OutputControl<boolean>(policy({ failsafeAfterMs: 1000 }), false, 0);
    control.command(true, 0);
    expect(control.look(0)).toMatchObject({ state: true, againMs: 1000 });
    control.heard(900);
    expect(control.look(1000)).toMatchObject({ state: true, againMs: 1900 });
    expect(control.look(1900)).toMatchObject({ state: false, cause: "failsafe", againMs: undefined });
    control.heard(2000);
    expect(control.look(9000)).toMatchObject({ state: false });
  });

  test("rests as long as it must between commands, but not for safety", () => {
    const control = new OutputControl<boolean>(policy({ minOnMs: 1000, minOffMs: 3000, maxOnMs: 500_000 }), false, 0);
    control.command(true, 100);
    expect(control.look(100)).toMatchObject({ state: false, againMs: 3000 });
    expect(control.look(3000)).toMatchObject({ state: true });
    control.command(false, 3100);
    expect(control.look(3100)).toMatchObject({ state: true, againMs: 4000 });
    expect(control.look(4000)).toMatchObject({ state: false });
    const urgent = new OutputControl<boolean>(policy({ minOnMs: 10_000, maxOnMs: 500 }), false, 0);
    urgent.command(true, 0);
    urgent.look(0);
    expect(urgent.look(500)).toMatchObject({ state: false, cause: "max_on" });
  });

  test("waits while another of its group is not back, and comes back when another goes", () => {
    const control = new OutputControl<boolean>(policy(), false, 0);
    control.command(true, 0);
    expect(control.look(0, true)).toMatchObject({ state: false });
    expect(control.look(10, false)).toMatchObject({ state: true });
    control.release();
    expect(control.look(20, true)).toEqual({ state: false, cause: "interlock", againMs: undefined });
  });
});

test("an output with levels is away from its safe one for `max_on` at most, at whatever levels", () => {
  const control = new OutputControl<number>({ safe: 10, maxOnMs: 1000, minOnMs: 0, minOffMs: 0 }, 10, 0);
  control.command(40, 500);
  expect(control.look(500)).toMatchObject({ state: 40, againMs: 1500 });
  control.command(0, 1000);
  expect(control.look(1000)).toMatchObject({ state: 0, againMs: 1500 });
  expect(control.look(1500)).toMatchObject({ state: 10, cause: "max_on", againMs: undefined });
  control.command(70, 9000, { forMs: 300, next: 10 });
  expect(control.look(9000)).toMatchObject({ state: 70, againMs: 9300 });
  expect(control.look(9300)).toMatchObject({ state: 10, cause: "pulse over" });
});

test("whatever happens, it is never away for longer than `max_on`, nor without a controller for `failsafe_after`", () => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constant("command" as const),
      on: fc.boolean(),
      forMs: fc.option(fc.integer({ min: 1, max: 400 })),
    }),
    fc.record({ kind: fc.constant("heard" as const) }),
    fc.record({ kind: fc.constant("release" as const) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 300 }) }),
  );
  const limits = fc.record({
    safe: fc.boolean(),
    maxOnMs: fc.integer({ min: 1, max: 500 }),
    failsafeAfterMs: fc.integer({ min: 1, max: 500 }),
    minOnMs: fc.integer({ min: 0, max: 300 }),
    minOffMs: fc.integer({ min: 0, max: 300 }),
  });
  fc.assert(
    fc.property(limits, fc.array(event, { maxLength: 60 }), (facts, events) => {
      const control = new OutputControl<boolean>(facts, facts.safe, 0);
      let [nowMs, awayMs, heardMs] = [0, undefined as number | undefined, 0];
      let againMs: number | undefined;
      const look = () => {
        const decision = control.look(nowMs);
        againMs = decision.againMs;
        expect(againMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(nowMs);
        if (decision.state === facts.safe) awayMs = undefined;
        else {
          awayMs ??= nowMs;
          expect(nowMs - awayMs).toBeLessThan(facts.maxOnMs);
          expect(nowMs - heardMs).toBeLessThan(facts.failsafeAfterMs);
        }
      };
      for (const one of events) {
        if (one.kind === "command") {
          control.command(one.on, nowMs, one.forMs ? { forMs: one.forMs, next: !one.on } : undefined);
        }
        if (one.kind === "release") control.release();
        if (one.kind === "heard") control.heard(nowMs);
        if (one.kind === "heard" || one.kind === "command") heardMs = nowMs;
        const untilMs = one.kind === "wait" ? nowMs + one.ms : nowMs;
        look();
        // As its caller does it: it looks again when it was told to, and at nothing else.
        while (againMs !== undefined && againMs <= untilMs) {
          nowMs = againMs;
          look();
        }
        nowMs = untilMs;
      }
    }),
    { numRuns: 2000 },
  );
});
