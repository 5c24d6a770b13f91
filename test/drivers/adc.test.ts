import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ads1013, ads1014, ads1015, ads1113, ads1114, ads1115, decode } from "../../src/drivers/ads1115.ts";
import { configuredChannels } from "../../src/drivers/driver.ts";
import { decode as decodeMcp3421, mcp3421 } from "../../src/drivers/mcp3421.ts";
import type { World } from "../../src/hardware/simulated/chip.ts";
import { ads1115Chip } from "../../src/hardware/simulated/chips/ads1115.ts";
import { lm75Chip } from "../../src/hardware/simulated/chips/lm75.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;

describe("ads1115", () => {
  test.each(vectorsOf("ads1115").filter(({ input }) => input.code))("decodes $input", ({ input, expect: expected }) => {
    expect(decode(Number(input.code), input.fs, 16)).toEqual({ volts: expected.V, isSaturated: true });
  });

  test("decodes the 12 bits of an ADS1015, which stand at the top", () => {
    for (const { input, expect: expected } of vectorsOf("ads1115").filter((vector) => vector.input.ads1015)) {
      const codes = [input.ads1015]
        .flat()
        .map((word: string) => (decode(Number(word), 2.048, 12).volts / 2.048) * 2048);
      expect(codes).toEqual([expected.code].flat());
    }
  });

  test("is saturated at the last code of either end, and only there", () => {
    expect([0x7fff, 0x7ffe, 0x8000, 0x8001].map((word) => decode(word, 4.096, 16).isSaturated)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([0x7ff0, 0x7fe0, 0x8000, 0x8010].map((word) => decode(word, 4.096, 12).isSaturated)).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test.each([
    [ads1115, [8, 128, 860]],
    [ads1015, [128, 1600, 3300]],
  ])("reads pairs, single inputs and what they stand for ($name)", async (driver, rates) => {
    for (const rate of rates) {
      const inputs = [
        "a2",
        "a0-a1",
        { input: "a3", key: "level", title: "Level", scale: 40, offset: -20, unit: "cm" },
        { input: "a2", key: "fine", range: 0.256 },
      ];
      const { open, letPass } = bench(driver, { rate, inputs });
      const sensor = await letPass(open());
      const { values } = await letPass(sensor.read(never));
      expect(Object.keys(values)).toEqual(["a2", "a0_a1", "level", "fine"]);
      expect(values.a2).toBeCloseTo(0.1, 2);
      expect(values.a0_a1).toBeCloseTo(0.9, 1);
      expect(values.level).toBeCloseTo(2.5 * 40 - 20, 0);
      expect(values.fine).toBeCloseTo(0.1, 3);
    }
  });

  test("names units and ranges in its channels", () => {
    const written = { inputs: ["a0", { input: "a1", key: "pressure", scale: 2.5, offset: -1.25, unit: "bar" }] };
    const channels = configuredChannels(ads1115, z.strictObject(ads1115.options).parse(written));
    expect(channels).toMatchObject([
      { key: "a0", unit: "V", min: -4.096, max: 4.096 },
      { key: "pressure", quantity: "number", unit: "bar", min: -11.49, max: 8.99 },
    ]);
  });

  test("refuses two inputs with one key", () => {
    expect(z.strictObject(ads1115.options).safeParse({ inputs: ["a0", "a0"] }).success).toBe(false);
  });

  test("marks what is beyond its range as saturated", async () => {
    const { open, letPass } = bench(ads1115, { inputs: ["a3", "a2"], range: 2.048 });
    const sensor = await letPass(open());
    expect(await letPass(sensor.read(never))).toMatchObject({
      values: { a3: expect.closeTo(2.048, 3) },
      quality: { a3: "saturated" },
    });
  });

  test("is not an LM75 at the same address", async () => {
    const { clock, hardware, open, letPass } = bench(ads1115);
    (await hardware.i2c("sim")).plug(0x48, lm75Chip(simulatedWorld(clock)));
    await expect(letPass(open())).rejects.toMatchObject({ code: expect.stringMatching(/CHIP_MISMATCH|BUS_NACK/) });
  });

  test.each([ads1113, ads1114, ads1013, ads1014])(
    "$name has one pair and nothing else to choose from",
    async (driver) => {
      const schema = z.strictObject(driver.options);
      expect(schema.safeParse({ inputs: ["a0"] }).success).toBe(false);
      expect(schema.safeParse({ range: 1.024 }).success).toBe(/4$/.test(driver.name));
      const { clock, open, letPass } = bench(driver);
      const sensor = await letPass(open());
      const { values } = await letPass(sensor.read(never));
      expect(values).toEqual({ a0_a1: expect.closeTo((simulatedWorld(clock).voltageV() / 12.1) * 0.9, 2) });
    },
  );

  test.each([
    ["a0", 4.096, 8],
    ["a0-a1", 2.048, 128],
  ])("notices a brown-out in the middle of a conversion (%s)", async (input, range, rate) => {
    const { clock, hardware, open, letPass } = bench(ads1115, { rate, range, inputs: [input] });
    const bus = await hardware.i2c("sim");
    const world: World = simulatedWorld(clock);
    const sensor = await letPass(open());
    const reading = sensor.read(never);
    reading.catch(() => undefined);
    await clock.advance(3);
    bus.plug(0x48, ads1115Chip(world));
    await expect(letPass(reading)).rejects.toMatchObject({ code: "BAD_VALUE" });
  });
});

describe("mcp3421", () => {
  test.each(vectorsOf("mcp3421"))("decodes $input", ({ input, expect: expected }) => {
    const { volts } = decodeMcp3421(Number(input.code), input.bits, 1);
    expect(volts).toBeCloseTo(expected.V ?? expected.uV / 1e6, 12);
  });

  test("decodes negative codes, with and without repeated sign bits, and the ends", () => {
    expect(decodeMcp3421(0xffffff, 18, 1).volts).toBeCloseTo(-15.625e-6, 12);
    expect(decodeMcp3421(0xf800, 12, 8)).toEqual({ volts: -0.256, isSaturated: true });
    expect(decodeMcp3421(0x07ff, 12, 1).isSaturated).toBe(true);
    expect(decodeMcp3421(0x07fe, 12, 1).isSaturated).toBe(false);
  });

  test.each([12, 14, 16, 18])("waits out %i bits, input by input", async (bits) => {
    const { open, letPass } = bench(mcp3421, { bits, inputs: [2, 3, 4] });
    const sensor = await letPass(open());
    const { values, quality } = await letPass(sensor.read(never));
    expect(values.voltage_2).toBeCloseTo(0.25, 2);
    expect(values.voltage_3).toBeCloseTo(-0.25, 2);
    expect(quality).toEqual({ voltage_4: "saturated" });
  });
});
