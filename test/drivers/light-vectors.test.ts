import { describe, expect, test } from "vitest";
import { bh1750 } from "../../src/drivers/bh1750.ts";
import { ltr390 } from "../../src/drivers/ltr390.ts";
import { opt3001 } from "../../src/drivers/opt3001.ts";
import { tsl2561 } from "../../src/drivers/tsl2561.ts";
import { tsl2591 } from "../../src/drivers/tsl2591.ts";
import { veml7700 } from "../../src/drivers/veml7700.ts";
import { bytesChip, readingOf, wordsChip } from "./raw.ts";

/** Bytes as they come from the chip, and values computed from them apart from the drivers. */

const notReady = { code: "NOT_READY" };

describe("bh1750, by the examples of its datasheet (2011.11 rev. D) and the scale of the kernel's driver", () => {
  test.each([
    [[0x83, 0x90], "normal", 69, [0x01, 0x42, 0x65, 0x20], 28_066.667],
    [[0x01, 0x10], "normal", 138, [0x01, 0x44, 0x6a, 0x20], 113.333],
    [[0x83, 0x90], "fine", 69, [0x01, 0x42, 0x65, 0x21], 14_033.333],
    [[0x12, 0x34], "fine", 254, [0x01, 0x47, 0x7e, 0x21], 527.461],
    [[0xff, 0xff], "normal", 31, [0x01, 0x40, 0x7f, 0x20], 121_556.855],
    [[0x00, 0x00], "normal", 69, [0x01, 0x42, 0x65, 0x20], 0],
  ])("%j, %s, at %i", async (bytes, resolution, measurement_time, commands, lux) => {
    const told: number[] = [];
    const chip = { write: (sent: Uint8Array) => void told.push(...sent), read: () => Uint8Array.from(bytes) };
    const { values, quality } = await readingOf(bh1750, { resolution, measurement_time }, chip);
    expect(values.illuminance).toBeCloseTo(lux, 3);
    expect(told.slice(-4)).toEqual(commands);
    expect(quality?.illuminance).toBe(bytes[0] === 0xff ? "saturated" : undefined);
  });
});

describe("veml7700, by the table of resolutions in Vishay's application note 84323", () => {
  const chipWith = (als: number, white = 1) => wordsChip({ 4: als, 5: white, 7: 0xc481 }, { littleEndian: true });

  test.each([
    [0, 0.125, 100, 0x1000, 0],
    [1, 2, 800, 0x08c0, 0.0042],
    [1480, 1, 100, 0x0000, 99.456],
    [0x8000, 2, 50, 0x0a00, 2202.0096],
    [930, 0.25, 25, 0x1b00, 999.936],
    [1480, 0.25, 25, 0x1b00, 1767.3109],
    [40_000, 0.125, 800, 0x10c0, 3131.9385],
    [60_000, 1, 25, 0x0300, 16_128],
  ])("%i counts at gain %d in %i ms", async (als, gain, integration_time, config, lux) => {
    const chip = chipWith(als);
    const { values } = await readingOf(veml7700, { gain, integration_time }, chip);
    expect(values.illuminance).toBeCloseTo(lux, 3);
    expect(chip.written).toContainEqual([0, config]);
  });

  test("says which of its two counters is full", async () => {
    const full = await readingOf(veml7700, { gain: 1 }, chipWith(0xfffe, 0xffff));
    expect(full.quality).toEqual({ white: "saturated" });
  });

  test("does not take a brown-out while it measures for darkness", async () => {
    const chip = wordsChip({ 0: 0x0001, 4: 0, 5: 0, 7: 0xc481 }, { littleEndian: true });
    await expect(readingOf(veml7700, {}, chip)).rejects.toMatchObject(notReady);
  });
});

describe("tsl2561, to the 7 % that the datasheet's calculation in small integers is off (TAOS059N, CalculateLux)", () => {
  const words = (channel0: number, channel1: number) => ({
    172: [channel0 & 0xff, channel0 >> 8],
    174: [channel1 & 0xff, channel1 >> 8],
  });

  test.each([
    [0x50, 1000, 200, 16, 402, 0x12, 23.669],
    [0x50, 20_000, 9000, 16, 402, 0x12, 200.317],
    [0x50, 20_000, 11_500, 1, 402, 0x02, 1462.891],
    [0x50, 5000, 3600, 1, 101, 0x01, 568.385],
    [0x50, 3000, 2900, 1, 13.7, 0x00, 566.011],
    [0x50, 4000, 5300, 16, 402, 0x12, 0],
    [0x11, 1000, 200, 16, 402, 0x12, 25.085],
    [0x11, 20_000, 11_500, 1, 402, 0x02, 1967.285],
    [0x11, 5000, 3600, 1, 101, 0x01, 865.777],
    [0x11, 3000, 2900, 1, 13.7, 0x00, 1152.031],
  ])("id %i, counts of %i and %i at gain %i in %d ms", async (id, ch0, ch1, gain, integration_time, timing, lux) => {
    const chip = bytesChip({ 138: [id], ...words(ch0, ch1) });
    const { values, quality } = await readingOf(tsl2561, { gain, integration_time }, chip);
    expect(Math.abs(Number(values.illuminance) - lux)).toBeLessThanOrEqual(0.07 * lux);
    expect(quality).toBeUndefined();
    expect(chip.registers[0x81]).toBe(timing);
  });

  test("does not take a brown-out while it measures for darkness", async () => {
    const chip = bytesChip({ 128: [0], 138: [0x50], ...words(0, 0) });
    await expect(readingOf(tsl2561, {}, chip)).rejects.toMatchObject(notReady);
  });
});

describe("tsl2591, by Adafruit's formula", () => {
  const chipWith = (full: number, infrared: number, status = 0x01) =>
    bytesChip({ 178: [0x50], 179: [status], 180: [full & 0xff, full >> 8, infrared & 0xff, infrared >> 8] });

  test.each([
    [1000, 200, "medium", 100, 0x10, 109.6704],
    [36_862, 9000, "low", 100, 0x00, 90_176.16],
    [50_000, 28_000, "low", 600, 0x05, 3685.6],
    [12_345, 2345, "high", 300, 0x22, 27.006804],
    [3, 1, "max", 600, 0x35, 0.000094],
  ])("counts of %i and %i at gain %s in %i ms", async (full, infrared, gain, integration_time, control, lux) => {
    const chip = chipWith(full, infrared);
    const { values, quality } = await readingOf(tsl2591, { gain, integration_time }, chip);
    expect(values).toEqual({ illuminance: expect.closeTo(lux, 5), full, infrared });
    expect(quality).toEqual({ illuminance: "estimated" });
    expect(chip.registers[0xa1]).toBe(control);
  });

  test("says which of its two counters is full", async () => {
    const { quality } = await readingOf(tsl2591, { gain: "low" }, chipWith(36_863, 100));
    expect(quality).toEqual({ illuminance: "saturated", full: "saturated" });
  });

  test("has no value where the integration does not end", async () => {
    await expect(readingOf(tsl2591, {}, chipWith(1000, 200, 0x00))).rejects.toMatchObject(notReady);
  });
});

describe("opt3001, by the examples of its datasheet (SBOS681, table 10)", () => {
  const ids = { 126: 0x5449, 127: 0x3001 };

  test.each([
    [0x0001, 0.01],
    [0x0fff, 40.95],
    [0x3456, 88.8],
    [0x7891, 2807.04],
    [0x8800, 5242.88],
    [0x9400, 5242.88],
    [0xa200, 5242.88],
    [0xb100, 5242.88],
    [0xb001, 20.48],
    [0xbfff, 83_865.6],
  ])("%i", async (word, lux) => {
    const { values, quality } = await readingOf(opt3001, {}, wordsChip({ 0: word, 1: 0xc890, ...ids }));
    expect(values.illuminance).toBeCloseTo(lux, 6);
    expect(quality).toBeUndefined();
  });

  test("is saturated where the overflow flag is set, and not ready where the conversion flag is not", async () => {
    const { quality } = await readingOf(opt3001, {}, wordsChip({ 0: 0xbfff, 1: 0xc990, ...ids }));
    expect(quality).toEqual({ illuminance: "saturated" });
    await expect(readingOf(opt3001, {}, wordsChip({ 0: 1, 1: 0xc810, ...ids }))).rejects.toMatchObject(notReady);
  });
});

describe("ltr390, by the formulas of its datasheet (v1.1, §8)", () => {
  test.each([
    [0, 0, 1, 1, 0, 0],
    [12_345, 345, 18, 1, 411.5, 0.15],
    [0x3fffe, 4600, 1, 1, 157_285.2, 2],
    [600, 23, 6, 1.5, 90, 0.015],
    [1000, 2300, 9, 1, 66.66667, 1],
  ])("counts of %i and %i at gain %i behind %d", async (als, uvs, gain, window_factor, lux, uvIndex) => {
    const three = (count: number) => [count & 0xff, (count >> 8) & 0xff, count >> 16];
    const chip = bytesChip({ 6: [0xb2, 0x08], 13: [...three(als), ...three(uvs)] });
    const { values } = await readingOf(ltr390, { gain, window_factor }, chip);
    expect(values).toEqual({ illuminance: expect.closeTo(lux, 4), uv_index: expect.closeTo(uvIndex, 6) });
    // The last of the two is UV: 20 bits in 400 ms, at the gain of 18 that its sensitivity is given for.
    expect([...chip.registers.subarray(4, 6)]).toEqual([0x04, 0x04]);
  });
});
