import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Pwm, PwmPin } from "../../src/hardware/pwm.ts";

export interface PwmSubject {
  readonly pwm: Pwm;
  /** A free pin. */
  readonly pin: PwmPin;
  readonly missing: readonly PwmPin[];
  /** The share of time in which the pin is high, seen from outside. */
  given(): Promise<number>;
}

const periodNs = 1_000_000;

export function pwmContract(name: string, openSubject: () => Promise<PwmSubject>): void {
  describe(`PWM: ${name}`, () => {
    let subject: PwmSubject;
    beforeEach(async () => {
      subject = await openSubject();
    });
    afterEach(() => subject.pwm[Symbol.asyncDispose]());

    test.each([0, 0.25, 1])(
      "a pin begins with its initial duty %d, and then has the one that is set",
      async (initial) => {
        const { pwm, pin, given } = subject;
        await using output = await pwm.output(pin, { periodNs, initial });
        expect([await given(), await output.duty()]).toEqual([initial, initial]);
        for (const duty of [1, 0, 0.5, 0.125]) {
          await output.set(duty);
          expect([await given(), await output.duty()]).toEqual([duty, duty]);
        }
      },
    );

    test("a pin is claimed once, also by two at a time: PIN_BUSY", async () => {
      const { pwm, pin } = subject;
      const settings = { periodNs, initial: 0 };
      const results = await Promise.allSettled([pwm.output(pin, settings), pwm.output(pin, settings)]);
      expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
      await expect(pwm.output(pin, settings)).rejects.toMatchObject({ code: "PIN_BUSY" });
    });

    test("a pin that was given back goes on with its duty, cannot be set any more, and can be claimed anew", async () => {
      const { pwm, pin, given } = subject;
      const output = await pwm.output(pin, { periodNs, initial: 0.75 });
      await output[Symbol.asyncDispose]();
      await output[Symbol.asyncDispose]();
      expect(await given()).toBe(0.75);
      await expect(output.set(0)).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(output.duty()).rejects.toMatchObject({ code: "CANCELLED" });
      await using again = await pwm.output(pin, { periodNs: 50_000, initial: 0.5 });
      expect([await given(), await again.duty()]).toEqual([0.5, 0.5]);
    });

    test("what has no PWM is PIN_MISSING", async () => {
      const { pwm, missing } = subject;
      for (const pin of missing) {
        await expect(pwm.output(pin, { periodNs, initial: 0 })).rejects.toMatchObject({ code: "PIN_MISSING" });
      }
    });

    test("disposal of the port gives back its pins, which go on", async () => {
      const { pwm, pin, given } = subject;
      const output = await pwm.output(pin, { periodNs, initial: 0.5 });
      await pwm[Symbol.asyncDispose]();
      await expect(output.set(1)).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(pwm.output(pin, { periodNs, initial: 1 })).rejects.toMatchObject({ code: "CANCELLED" });
      expect(await given()).toBe(0.5);
    });
  });
}
