import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";

export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets at least `ms` of monotonic time pass. */
  pass(ms: number): Promise<void>;
}

/** What every clock keeps, simulated or real. */
export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`${name} keeps the clock's contract`, () => {
    it("monotonic and wall time go on together", async () => {
      const { clock, pass } = make();
      const [mono, wall] = [clock.monoMs(), clock.wallMs()];
      await pass(20);
      expect(clock.monoMs() - mono).toBeGreaterThanOrEqual(20);
      expect(clock.wallMs() - wall).toBeGreaterThanOrEqual(15);
    });

    it("names one boot, always the same", () => {
      const { clock } = make();
      expect(clock.bootId()).toMatch(/^[0-9a-f-]{36}$/);
      expect(clock.bootId()).toBe(clock.bootId());
    });

    it("never ends a sleep early, fractions of a millisecond included", async () => {
      const { clock, pass } = make();
      for (const ms of [0.4, 3.3, 8.3]) {
        const start = clock.monoMs();
        const sleeping = clock.sleep(ms).then(() => clock.monoMs() - start);
        await pass(ms);
        // Sums of fractions are not exact; a microsecond is beyond every datasheet.
        expect(await sleeping).toBeGreaterThan(ms - 0.001);
      }
    });

    it("wakes sleepers in the order of their due times", async () => {
      const { clock, pass } = make();
      const woken: string[] = [];
      const late = clock.sleep(30).then(() => woken.push("late"));
      const early = clock.sleep(5).then(() => woken.push("early"));
      await pass(31);
      await Promise.all([late, early]);
      expect(woken).toEqual(["early", "late"]);
    });

    it("rejects a sleep with the signal's reason, at once when it is aborted already", async () => {
      const { clock } = make();
      const controller = new AbortController();
      const sleeping = clock.sleep(60_000, controller.signal);
      controller.abort(new Error("asked to stop"));
      await expect(sleeping).rejects.toThrow("asked to stop");
      await expect(clock.sleep(60_000, controller.signal)).rejects.toThrow("asked to stop");
    });

    it("leaves no listener on the signal after a sleep", async () => {
      const { clock, pass } = make();
      const { signal } = new AbortController();
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      const sleeping = clock.sleep(2, signal);
      await pass(3);
      await sleeping;
      expect(listeners).toBe(0);
    });
  });
}
