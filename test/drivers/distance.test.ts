import { describe, expect, test } from "vitest";
import { chosenSpads, decode as decodeVl53l0x, vl53l0x } from "../../src/drivers/vl53l0x.ts";
import { TUNING } from "../../src/drivers/vl53l0x-tuning.ts";
import { decode as decodeVl53l1x, vl53l1x } from "../../src/drivers/vl53l1x.ts";
import type { World } from "../../src/hardware/simulated/chip.ts";
import { vl53l0xChip } from "../../src/hardware/simulated/chips/vl53l0x.ts";
import { vl53l1xChip } from "../../src/hardware/simulated/chips/vl53l1x.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";

const never = new AbortController().signal;
const badValue = expect.objectContaining({ code: "BAD_VALUE" });

describe("vl53l0x", () => {
  const result = (status: number, mm: number) => Uint8Array.of(status << 3, ...Array(9).fill(0), mm >> 8, mm & 0xff);

  test("decodes millimetres where it saw something, and says so where it did not", () => {
    expect(decodeVl53l0x(result(11, 1234)).values).toEqual({ distance: 1234, target: true });
    expect(decodeVl53l0x(result(4, 8190)).values).toEqual({ target: false });
    expect(decodeVl53l0x(result(11, 8190)).values).toEqual({ target: false });
    expect(() => decodeVl53l0x(result(2, 100))).toThrow(badValue);
  });

  test.each([4, 5, 6, 7, 8, 9, 10, 12, 13, 14])("takes no distance at a status of %i (vl53l0x_device.h)", (status) => {
    expect(decodeVl53l0x(result(status, 500)).values).toEqual({ target: false });
  });

  test.each([0, 1, 2, 3, 15])("says neither that there is something nor that there is nothing at %i", (status) => {
    expect(() => decodeVl53l0x(result(status, 500))).toThrow(badValue);
  });

  test("does not take the result of a measurement that was given up", async () => {
    const { clock, hardware, open, letPass } = bench(vl53l0x);
    let distance = 300;
    const world: World = { ...simulatedWorld(clock), distanceMm: () => distance };
    (await hardware.i2c("sim")).plug(0x29, vl53l0xChip(world));
    const sensor = await letPass(open());
    const given = new AbortController();
    const reading = sensor.read(given.signal);
    reading.catch(() => undefined);
    await clock.advance(20);
    given.abort(new Error("given up"));
    await expect(reading).rejects.toThrow("given up");
    await clock.advance(50);
    await (await hardware.i2c("sim")).transfer([{ address: 0x29, write: Uint8Array.of(0x13), read: 1 }]);
    distance = 900;
    expect((await letPass(sensor.read(never))).values.distance).toBe(900);
  });

  test("enables as many good photodiodes as the factory found right, behind an aperture from the twelfth on", () => {
    const all = new Uint8Array(6).fill(0xff);
    expect(chosenSpads(all, 3, false)).toEqual([0b111, 0, 0, 0, 0, 0]);
    expect(chosenSpads(all, 5, true)).toEqual([0, 0b1111_0000, 0b1, 0, 0, 0]);
    expect(chosenSpads(Uint8Array.of(0, 0b0101_0000, 0b10, 0, 0, 0), 3, true)).toEqual([0, 0b0101_0000, 0b10, 0, 0, 0]);
  });

  test("writes ST's eighty tuning settings", () => {
    expect(TUNING).toHaveLength(80);
    for (const [register, value] of TUNING) expect((register << 8) | value).toSatisfy(Number.isInteger);
  });

  test("is configured again after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(vl53l0x);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x29, vl53l0xChip(simulatedWorld(clock)));
    const { values } = await letPass(sensor.read(never));
    expect(values.distance).toBeCloseTo(simulatedWorld(clock).distanceMm(), -1);
  });

  test("has no distance where nothing is in range", async () => {
    const { clock, hardware, open, letPass } = bench(vl53l0x);
    const world: World = { ...simulatedWorld(clock), distanceMm: () => 5000 };
    (await hardware.i2c("sim")).plug(0x29, vl53l0xChip(world));
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values).toEqual({ target: false });
  });

  test("is told from a VL53L1X, and the other way round", async () => {
    const zero = bench(vl53l0x);
    (await zero.hardware.i2c("sim")).plug(0x29, vl53l1xChip(simulatedWorld(zero.clock)));
    await expect(zero.letPass(zero.open())).rejects.toMatchObject({ code: expect.stringMatching(/MISMATCH|NACK/) });
    const one = bench(vl53l1x);
    (await one.hardware.i2c("sim")).plug(0x29, vl53l0xChip(simulatedWorld(one.clock)));
    await expect(one.letPass(one.open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});

describe("vl53l1x", () => {
  const result = (status: number, mm: number) => Uint8Array.of(status, ...Array(12).fill(0), mm >> 8, mm & 0xff);

  test("decodes millimetres where it saw something, and says so where it did not", () => {
    expect(decodeVl53l1x(result(9, 2345)).values).toEqual({ distance: 2345, target: true });
    expect(decodeVl53l1x(result(0xe9, 2345)).values).toEqual({ distance: 2345, target: true });
    expect(decodeVl53l1x(result(5, 600)).values).toEqual({ target: false });
    expect(() => decodeVl53l1x(result(3, 100))).toThrow(badValue);
  });

  test.each([4, 5, 6, 7, 8, 12, 13])("takes no distance at a status of %i (vl53l1_ll_device.h)", (status) => {
    expect(decodeVl53l1x(result(status, 500)).values).toEqual({ target: false });
  });

  test.each([19, 22])("estimates it where it was not checked (%i)", (status) => {
    expect(decodeVl53l1x(result(status, 500))).toEqual({
      values: { distance: 500, target: true },
      quality: { distance: "estimated" },
    });
  });

  test.each([0, 1, 2, 3, 10, 11, 18, 31])(
    "says neither that there is something nor that there is nothing at %i",
    (status) => {
      expect(() => decodeVl53l1x(result(status, 500))).toThrow(badValue);
    },
  );

  test.each([0x01, 0x03])("has booted at a status of %i", async (status) => {
    const { clock, hardware, open, letPass } = bench(vl53l1x);
    const chip = vl53l1xChip(simulatedWorld(clock));
    let pointer = 0;
    (await hardware.i2c("sim")).plug(0x29, {
      write(bytes) {
        pointer = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
        chip.write(bytes);
      },
      read: (length) => (pointer === 0xe5 && chip.read(length)[0] === 3 ? Uint8Array.of(status) : chip.read(length)),
    });
    expect((await letPass((await letPass(open())).read(never))).values.target).toBe(true);
  });

  test.each([
    ["short", 20],
    ["long", 500],
  ])("measures in its mode %s, in %i ms", async (mode, timing_budget) => {
    const { clock, open, letPass } = bench(vl53l1x, { mode, timing_budget });
    const sensor = await letPass(open());
    const { values } = await letPass(sensor.read(never));
    expect(values.distance).toBeCloseTo(simulatedWorld(clock).distanceMm(), -1);
  });

  test("is configured again after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(vl53l1x);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x29, vl53l1xChip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.target).toBe(true);
  });
});
