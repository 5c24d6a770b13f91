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
