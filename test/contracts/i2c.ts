import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type I2cBus, i2cDevice } from "../../src/hardware/i2c.ts";

/**
 * A bus with a chip of 256 registers of one byte, with a pointer that increments: `registers` holds what it holds, a
 * write of two bytes sets one. Nobody is at `absent`.
 */
export interface I2cSubject {
  readonly bus: I2cBus;
  readonly chip: number;
  readonly absent: number;
  /** The chip's first registers. */
  readonly registers: readonly number[];
}

export function i2cContract(name: string, openSubject: () => Promise<I2cSubject>): void {
  describe(`an I2C bus: ${name}`, () => {
    let subject: I2cSubject;
    beforeEach(async () => {
      subject = await openSubject();
    });
    afterEach(() => subject.bus[Symbol.asyncDispose]());

    test("a register is read with its pointer in one transfer", async () => {
      const { bus, chip, registers } = subject;
      const answer = await i2cDevice(bus, chip).readRegister(1, 3);
      expect([...answer]).toEqual(registers.slice(1, 4));
    });

    test("a write of the pointer and a plain read find the same bytes", async () => {
      const { bus, chip, registers } = subject;
      const answers = await bus.transfer([
        { address: chip, write: Uint8Array.of(0) },
        { address: chip, read: 2 },
      ]);
      expect(answers.map((answer) => [...answer])).toEqual([[], registers.slice(0, 2)]);
    });

    test("callers at the same time each get their own bytes", async () => {
      const { bus, chip, registers } = subject;
      const device = i2cDevice(bus, chip);
      const answers = await Promise.all([0, 1, 2, 3].map((register) => device.readRegister(register, 1)));
      expect(answers.map((answer) => answer[0])).toEqual(registers.slice(0, 4));
    });

    test("an address where nobody answers is BUS_NACK with bus and address in the message", async () => {
      const { bus, absent } = subject;
      await expect(i2cDevice(bus, absent).read(1)).rejects.toMatchObject({
        code: "BUS_NACK",
        message: expect.stringContaining(`0x${absent.toString(16)} on ${bus.name}`),
      });
    });

    test("a failed call does not harm the next", async () => {
      const { bus, chip, absent, registers } = subject;
      const failed = i2cDevice(bus, absent).write([1]);
      const answer = i2cDevice(bus, chip).readRegister(0, 1);
      await expect(failed).rejects.toMatchObject({ code: "BUS_NACK" });
      expect([...(await answer)]).toEqual(registers.slice(0, 1));
    });

    test("transfers stop at the first that fails", async () => {
      const { bus, chip, absent } = subject;
      const device = i2cDevice(bus, chip);
      const [before] = await device.readRegister(0x10, 1);
      const steps = [
        { address: absent, read: 1 },
        { address: chip, write: Uint8Array.of(0x10, 0xff - (before ?? 0)) },
      ];
      await expect(bus.transfer(steps)).rejects.toMatchObject({ code: "BUS_NACK" });
      expect((await device.readRegister(0x10, 1))[0]).toBe(before);
    });

    test.each([
      ["an address that I2C reserves", { address: 0x7f, read: 1 }],
      ["nothing to do", { address: 0x40 }],
      ["an empty write", { address: 0x40, write: new Uint8Array() }],
      ["a read of no bytes", { address: 0x40, read: 0 }],
      ["a combined read of more than 32 bytes", { address: 0x40, write: Uint8Array.of(0), read: 33 }],
    ])("%s is BUS_UNSUPPORTED, and nothing before it is transferred", async (_, transfer) => {
      const { bus, absent } = subject;
      await expect(bus.transfer([{ address: absent, read: 1 }, transfer])).rejects.toMatchObject({
        code: "BUS_UNSUPPORTED",
      });
    });

    test("who comes when too many wait is refused with BUS_TIMEOUT, and the others are served", async () => {
      const { bus, chip, registers } = subject;
      const calls = Array.from({ length: 400 }, () => i2cDevice(bus, chip).readRegister(0, 1));
      const results = await Promise.allSettled(calls);
      const refused = results.filter((result) => result.status === "rejected");
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThan(400);
      for (const { reason } of refused) expect(reason).toMatchObject({ code: "BUS_TIMEOUT" });
      expect(results[0]).toMatchObject({ status: "fulfilled", value: Uint8Array.of(registers[0] ?? 0) });
    });

    test("after its disposal it rejects with CANCELLED, and so does who still waited", async () => {
      const { bus, chip } = subject;
      const device = i2cDevice(bus, chip);
      const first = device.readRegister(0, 1);
      const second = device.readRegister(0, 1);
      const caught = second.catch((error: unknown) => error);
      await new Promise(setImmediate);
      await bus[Symbol.asyncDispose]();
      await first;
      await caught;
      await expect(device.readRegister(0, 1)).rejects.toMatchObject({ code: "CANCELLED" });
    });
  });
}
