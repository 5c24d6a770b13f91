import { describe, expect, test } from "vitest";
import { bh1750, decode as decodeBh1750 } from "../../src/drivers/bh1750.ts";
import { decode as decodeLtr390 } from "../../src/drivers/ltr390.ts";
import { decode as decodeOpt3001, opt3001 } from "../../src/drivers/opt3001.ts";
import { decode as decodeTsl2561, tsl2561 } from "../../src/drivers/tsl2561.ts";
import { decode as decodeTsl2591, tsl2591 } from "../../src/drivers/tsl2591.ts";
import { decode as decodeVeml7700, veml7700 } from "../../src/drivers/veml7700.ts";
import type { World } from "../../src/hardware/simulated/chip.ts";
import { opt3001Chip } from "../../src/hardware/simulated/chips/opt3001.ts";
import { tsl2561Chip } from "../../src/hardware/simulated/chips/tsl2561.ts";
import { tsl2591Chip } from "../../src/hardware/simulated/chips/tsl2591.ts";
import { veml7700Chip } from "../../src/hardware/simulated/chips/veml7700.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;

describe("bh1750", () => {
  test("decodes the datasheet's example", () => {
    const [vector] = vectorsOf("bh1750");
    const [high = 0, low = 0] = bytes(vector!.input.bytes);
    const { values } = decodeBh1750((high << 8) | low, "normal", vector!.input.mtreg);
    expect(values.illuminance).toBeCloseTo(vector!.expect.lx, 0);
  });

  test("counts finer and longer by its options", () => {
    expect(decodeBh1750(2400, "fine", 69).values.illuminance).toBe(1000);
    expect(decodeBh1750(1200, "normal", 138).values.illuminance).toBeCloseTo(500, 6);
  });

  test("says saturated at its end, and only there", () => {
    expect(decodeBh1750(0xffff, "normal", 69).quality).toEqual({ illuminance: "saturated" });
    expect(decodeBh1750(0xfffe, "normal", 69).quality).toBeUndefined();
  });

  test.each([31, 69, 254])("waits out a measurement time of %i", async (measurement_time) => {
    const { open, letPass } = bench(bh1750, { measurement_time, resolution: "fine" });
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values.illuminance).toBeGreaterThan(100);
  });
});

describe("veml7700", () => {
  test.each(vectorsOf("veml7700"))("decodes $input", ({ input, expect: expected }) => {
    const { values } = decodeVeml7700(input.raw, 0, input.gain, input.itMs);
    expect(values.illuminance).toBeCloseTo(expected.lx, 6);
  });

  test("corrects the bend above 1000 lx, at the low gains only", () => {
    const linear = 10_000 * 0.0042 * 8 * 16;
    expect(decodeVeml7700(10_000, 0, 0.125, 100).values.illuminance).toBeCloseTo(
      6.0135e-13 * linear ** 4 - 9.3924e-9 * linear ** 3 + 8.1488e-5 * linear ** 2 + 1.0023 * linear,
      3,
    );
    expect(decodeVeml7700(60_000, 0, 1, 100).values.illuminance).toBeCloseTo(60_000 * 0.0042 * 8 * 2, 6);
  });

  test("follows the light: more gain in the dark, the least at once when it saturates", async () => {
    const { clock, hardware, open, letPass } = bench(veml7700);
    let lux = 3;
    const world: World = { ...simulatedWorld(clock), illuminanceLx: () => lux };
    (await hardware.i2c("sim")).plug(0x10, veml7700Chip(world));
    const sensor = await letPass(open());
    for (let reading = 0; reading < 4; reading++) await letPass(sensor.read(never));
    expect((await letPass(sensor.read(never))).values.illuminance).toBeCloseTo(3, 1);
    lux = 4000;
    const bright = await letPass(sensor.read(never));
    expect(bright.quality).toBeUndefined();
    expect(bright.values.illuminance).toBeGreaterThan(3900);
  });

  test("says saturated where the gain is fixed", () => {
    expect(decodeVeml7700(0xffff, 0, 2, 800).quality).toEqual({ illuminance: "saturated" });
  });
});

describe("tsl2561", () => {
  const full = { gain: 16, timeMs: 402, type: "T" } as const;

  test.each(vectorsOf("tsl2561"))("decodes $input", ({ input, expect: expected }) => {
    expect(decodeTsl2561(input.ch0, input.ch1, full).values.illuminance).toBeCloseTo(expected.lx, 3);
  });

  test("has other factors in the CS package, and none for light that is infrared alone", () => {
    expect(decodeTsl2561(1000, 700, { ...full, type: "CS" }).values.illuminance).toBeCloseTo(15.7 - 12.6, 6);
    expect(decodeTsl2561(1000, 1400, full).values.illuminance).toBe(0);
    expect(decodeTsl2561(0, 0, full).values.illuminance).toBe(0);
  });

  test("scales by gain and time, and knows the end of each time", () => {
    expect(decodeTsl2561(1000, 200, { ...full, gain: 1 }).values.illuminance).toBeCloseTo(23.886 * 16, 1);
    expect(decodeTsl2561(5047, 1000, { ...full, timeMs: 13.7 }).quality).toEqual({ illuminance: "saturated" });
    expect(decodeTsl2561(5047, 1000, full).quality).toBeUndefined();
  });

  test("turns its gain down in the sun rather than saturate", async () => {
    const { clock, hardware, open, letPass } = bench(tsl2561);
    const world: World = { ...simulatedWorld(clock), illuminanceLx: () => 20_000 };
    (await hardware.i2c("sim")).plug(0x39, tsl2561Chip(world));
    const sensor = await letPass(open());
    const sample = await letPass(sensor.read(never));
    expect(sample.quality).toBeUndefined();
    expect(sample.values.illuminance).toBeCloseTo(20_000, -2);
  });
});

describe("opt3001", () => {
  test("decodes the datasheet's examples", () => {
    const [{ input, expect: expected }] = vectorsOf("opt3001") as [ReturnType<typeof vectorsOf>[number]];
    const decoded = input.regs.map((word: string) => decodeOpt3001(Number(word), false).values.illuminance);
    expect(decoded).toEqual(expected.lx);
  });

  test.each([
    [100, 300],
    [800, 1000],
  ])("waits out an integration of %i ms, and no longer than %i ms", async (integration_time, mostMs) => {
    const { clock, open, letPass } = bench(opt3001, { integration_time });
    const sensor = await letPass(open());
    const startMs = clock.monoMs();
    expect((await letPass(sensor.read(never))).values.illuminance).toBeGreaterThan(100);
    expect(clock.monoMs() - startMs).toBeGreaterThanOrEqual(integration_time);
    expect(clock.monoMs() - startMs).toBeLessThan(mostMs);
  });

  test.each([
    [0.03, 0.03, undefined],
    [83_000, 83_000, undefined],
    [120_000, 83_865.6, { illuminance: "saturated" }],
  ])("at %f lx it says %f", async (lux, said, quality) => {
    const { clock, hardware, open, letPass } = bench(opt3001);
    const world: World = { ...simulatedWorld(clock), illuminanceLx: () => lux };
    (await hardware.i2c("sim")).plug(0x44, opt3001Chip(world));
    const sample = await letPass((await letPass(open())).read(never));
    expect(Math.abs(Number(sample.values.illuminance) - said)).toBeLessThanOrEqual(said / 2048);
    expect(sample.quality).toEqual(quality);
  });
});

describe("tsl2591", () => {
  test("computes lux as the community does, and says that it is an estimate", () => {
    const [{ input, expect: expected }] = vectorsOf("tsl2591") as [ReturnType<typeof vectorsOf>[number]];
    const sample = decodeTsl2591(input.c0, input.c1, "medium", input.atimeMs);
    expect(sample.values).toEqual({ illuminance: expect.closeTo(expected.lx, 6), full: 1000, infrared: 200 });
    expect(sample.quality).toEqual({ illuminance: "estimated" });
  });

  test("knows where each integration ends", () => {
    const quality = (count: number, timeMs: number) => decodeTsl2591(count, 0, "low", timeMs).quality?.illuminance;
    expect([quality(36_863, 100), quality(36_862, 100)]).toEqual(["saturated", "estimated"]);
    expect([quality(65_535, 200), quality(65_534, 200)]).toEqual(["saturated", "estimated"]);
  });

  test("never computes less than darkness", () => {
    expect(decodeTsl2591(100, 100, "low", 100).values.illuminance).toBe(0);
  });

  test("follows the light: the least gain at once when it saturates, more in the dark", async () => {
    const { clock, hardware, open, letPass } = bench(tsl2591);
    let lux = 30_000;
    const world: World = { ...simulatedWorld(clock), illuminanceLx: () => lux };
    (await hardware.i2c("sim")).plug(0x29, tsl2591Chip(world));
    const sensor = await letPass(open());
    expect(await letPass(sensor.read(never))).toMatchObject({
      values: { illuminance: expect.closeTo(30_000, -2) },
      quality: { illuminance: "estimated" },
    });
    lux = 0.2;
    for (let reading = 0; reading < 4; reading++) await letPass(sensor.read(never));
    expect((await letPass(sensor.read(never))).values.illuminance).toBeCloseTo(0.2, 2);
  });
});

describe("ltr390", () => {
  const [light, uv] = vectorsOf("ltr390");

  test("computes lux and UV index", () => {
    const { values } = decodeLtr390(light!.input.als, uv!.input.uvs, light!.input.gain, light!.input.wfac);
    expect(values.illuminance).toBeCloseTo(light!.expect.lx, 6);
    expect(values.uv_index).toBeCloseTo(uv!.expect.uvi, 6);
  });

  test("counts in what a window takes away, and says where either light is too much", () => {
    expect(decodeLtr390(20_000, 2300, 3, 2).values).toEqual({ illuminance: 8000, uv_index: 2 });
    expect(decodeLtr390(0x3ffff, 1, 3, 1).quality).toEqual({ illuminance: "saturated" });
    expect(decodeLtr390(1, 0xfffff, 3, 1).quality).toEqual({ uv_index: "saturated" });
  });
});
