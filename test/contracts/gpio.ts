import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Edge, Gpio, Level } from "../../src/hardware/gpio.ts";

export interface GpioSubject {
  readonly gpio: Gpio;
  /** A free pin, low. */
  readonly pin: number;
  readonly missing: number;
  /** What the pin is driven to, seen from outside. */
  driven(): Promise<Level>;
  /** Moves the pin from outside. */
  drive(level: Level): Promise<void>;
  /** Resolves when what was driven must have been heard of. */
  settle(): Promise<void>;
}

export function gpioContract(name: string, openSubject: () => Promise<GpioSubject>): void {
  describe(`GPIO: ${name}`, () => {
    let subject: GpioSubject;
    beforeEach(async () => {
      subject = await openSubject();
    });
    afterEach(() => subject.gpio[Symbol.asyncDispose]());

    test("an input tells the level of its pin", async () => {
      const { gpio, pin, drive, settle } = subject;
      await using input = await gpio.input(pin);
      expect(input.pin).toBe(pin);
      expect(await input.level()).toBe(0);
      await drive(1);
      await settle();
      expect(await input.level()).toBe(1);
    });

    test("each change is heard once, with the level after it and a time that grows", async () => {
      const { gpio, pin, drive, settle } = subject;
      await using input = await gpio.input(pin);
      const edges: Edge[] = [];
      input.onEdge((edge) => edges.push(edge));
      for (const level of [1, 0, 1, 1, 0] as const) {
        await drive(level);
        await settle();
      }
      expect(edges.map((edge) => edge.level)).toEqual([1, 0, 1, 0]);
      expect(edges.map((edge) => edge.monoMs)).toEqual(edges.map((edge) => edge.monoMs).sort((a, b) => a - b));
    });

    test("nothing is heard after disposal, and the pin is free again", async () => {
      const { gpio, pin, drive, settle } = subject;
      const input = await gpio.input(pin);
      const edges: Edge[] = [];
      input.onEdge((edge) => edges.push(edge));
      await input[Symbol.asyncDispose]();
      await input[Symbol.asyncDispose]();
      await drive(1);
      await settle();
      expect(edges).toEqual([]);
      await expect(input.level()).rejects.toMatchObject({ code: "CANCELLED" });

      await using again = await gpio.input(pin);
      expect(await again.level()).toBe(1);
    });

    test("a pin is claimed once: PIN_BUSY", async () => {
      const { gpio, pin } = subject;
      await using _input = await gpio.input(pin);
      await expect(gpio.input(pin)).rejects.toMatchObject({ code: "PIN_BUSY" });
    });

    test("two claims at the same time get one input", async () => {
      const { gpio, pin } = subject;
      const results = await Promise.allSettled([gpio.input(pin), gpio.input(pin)]);
      expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    });

    test("a pin that the chip does not have is PIN_MISSING", async () => {
      const { gpio, missing } = subject;
      await expect(gpio.input(missing)).rejects.toMatchObject({ code: "PIN_MISSING" });
      await expect(gpio.input(-1)).rejects.toMatchObject({ code: "PIN_MISSING" });
      await expect(gpio.input(1.5)).rejects.toMatchObject({ code: "PIN_MISSING" });
    });

    test.each([0, 1] as const)("an output is at its initial level %i, and then where it is set", async (initial) => {
      const { gpio, pin, driven } = subject;
      await using output = await gpio.output(pin, initial);
      expect(output.pin).toBe(pin);
      expect([await driven(), await output.level()]).toEqual([initial, initial]);
      for (const level of [1, 0, 0, 1] as const) {
        await output.set(level);
        expect([await driven(), await output.level()]).toEqual([level, level]);
      }
    });

    test("an output that was given back cannot be set any more, and its pin is free, for an input, too", async () => {
      const { gpio, pin } = subject;
      const output = await gpio.output(pin, 1);
      await expect(gpio.output(pin, 1)).rejects.toMatchObject({ code: "PIN_BUSY" });
      await expect(gpio.input(pin)).rejects.toMatchObject({ code: "PIN_BUSY" });
      await output[Symbol.asyncDispose]();
      await output[Symbol.asyncDispose]();
      await expect(output.set(0)).rejects.toMatchObject({ code: "CANCELLED" });
      await expect(output.level()).rejects.toMatchObject({ code: "CANCELLED" });
      await (await gpio.output(pin, 0))[Symbol.asyncDispose]();
      await using input = await gpio.input(pin);
      expect(input.pin).toBe(pin);
    });

    test("an output on a pin that the chip does not have is PIN_MISSING", async () => {
      const { gpio, missing } = subject;
      await expect(gpio.output(missing, 0)).rejects.toMatchObject({ code: "PIN_MISSING" });
    });

    test("an input whose edges were all heard knows of no losses", async () => {
      const { gpio, pin, drive, settle } = subject;
      await using input = await gpio.input(pin);
      input.onEdge(() => undefined);
      for (const level of [1, 0, 1] as const) {
        await drive(level);
        await settle();
      }
      expect(input.losses).toBe(0);
    });

    test("disposal of the port gives back the pins", async () => {
      const { gpio, pin } = subject;
      const input = await gpio.input(pin);
      await gpio[Symbol.asyncDispose]();
      await expect(input.level()).rejects.toMatchObject({ code: "CANCELLED" });
    });
  });
}
