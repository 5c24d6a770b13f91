import { describe, expect, test } from "vitest";
import { decode as decodeLm75, lm75, tmp75 } from "../../src/drivers/lm75.ts";
import { decode as decodeMcp9808, mcp9808 } from "../../src/drivers/mcp9808.ts";
import { decode as decodeTmp102, tmp102 } from "../../src/drivers/tmp102.ts";
import { decode as decodeTmp117, tmp117 } from "../../src/drivers/tmp117.ts";
import { lm75Chip, tmp75Chip } from "../../src/hardware/simulated/chips/lm75.ts";
import { mcp9808Chip } from "../../src/hardware/simulated/chips/mcp9808.ts";
import { tmp102Chip } from "../../src/hardware/simulated/chips/tmp102.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;

describe("mcp9808", () => {
  test.each(vectorsOf("mcp9808"))("decodes $input.reg5", ({ input, expect: expected }) => {
    expect(decodeMcp9808(Number(input.reg5))).toBe(expected.temperatureC);
  });

  test("does not take its alert flags for degrees", () => {
    expect(decodeMcp9808(0xe000 | 0x0190)).toBe(25);
    expect(decodeMcp9808(0xe000 | 0x1e70)).toBe(-25);
  });

  test("does not give the 0 °C that it shows after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(mcp9808);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x18, mcp9808Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.temperature).toBeGreaterThan(10);
  });

  test("is not another chip of the same address", async () => {
    const { clock, hardware, open, letPass } = bench(mcp9808);
    (await hardware.i2c("sim")).plug(0x18, lm75Chip(simulatedWorld(clock)));
    await expect(letPass(open())).rejects.toMatchObject({ code: expect.stringMatching(/CHIP_MISMATCH|BUS_NACK/) });
  });
});

describe("lm75", () => {
  const [{ input, expect: expected }] = vectorsOf("lm75") as [ReturnType<typeof vectorsOf>[number]];

  test("decodes 9 bits, from -55 to 125 °C", () => {
    expect(input.regs.map((word: string) => decodeLm75(Number(word), 9))).toEqual(expected.temperatureC);
  });

  test("decodes 11 and 12 bits, and leaves out what stands below", () => {
    expect([0x7f00, 0x1920, 0x0020, 0xffe0, 0xe6e0].map((word) => decodeLm75(word, 11))).toEqual([
      127, 25.125, 0.125, -0.125, -25.125,
    ]);
    expect(decodeLm75(0x191f, 12)).toBe(25.0625);
    expect(decodeLm75(0x197f, 9)).toBe(25);
  });

  test("wakes a chip that was left in shutdown", async () => {
    const { hardware, open, letPass } = bench(lm75);
    const bus = await hardware.i2c("sim");
    await letPass(bus.transfer([{ address: 0x48, write: Uint8Array.of(0x01, 0x01) }]));
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values.temperature).toBeGreaterThan(10);
  });
});

describe("tmp75", () => {
  test("sets the resolution, which is 9 bits after power-on", async () => {
    for (const [bits, within] of [
      [12, 0.04],
      [9, 0.26],
    ] as const) {
      const { clock, open, letPass } = bench(tmp75, { bits });
      const sensor = await letPass(open());
      const { temperature } = (await letPass(sensor.read(never))).values;
      expect(Math.abs(Number(temperature) - simulatedWorld(clock).temperatureC())).toBeLessThan(within);
      expect((Number(temperature) * 2 ** (bits - 8)) % 1).toBe(0);
    }
  });
});

test.each([
  [lm75, lm75Chip],
  [tmp75, tmp75Chip],
])(
  "$name does not give the 0 °C that it shows after a brown-out (SBOS288M, temperature register)",
  async (driver, chip) => {
    const { clock, hardware, open, letPass } = bench(driver);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x48, chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.temperature).toBeGreaterThan(10);
  },
);

describe("tmp102", () => {
  const [{ input, expect: expected }] = vectorsOf("tmp102") as [ReturnType<typeof vectorsOf>[number]];

  test("decodes 12 bits, from -55 to 127.9375 °C", () => {
    expect(input.regs.map((word: string) => decodeTmp102(Number(word)))).toEqual(expected.temperatureC);
  });

  test("decodes the 13 bits of the extended mode, which the lowest bit shows", () => {
    expect([0x4b01, 0x0c81, 0xfff9, 0xe481].map(decodeTmp102)).toEqual([150, 25, -0.0625, -55]);
  });

  test("does not give the 0 °C that it shows after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(tmp102);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x48, tmp102Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.temperature).toBeGreaterThan(10);
  });
});

describe("tmp117", () => {
  const [{ input, expect: expected }] = vectorsOf("tmp117") as [ReturnType<typeof vectorsOf>[number]];

  test("decodes 128ths of a degree, and refuses what it shows before its first conversion", () => {
    const [power, ...words] = input.regs.map(Number);
    expect(words.map(decodeTmp117)).toEqual(expected.temperatureC.slice(1));
    expect(() => decodeTmp117(power)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test.each([1, 8, 64])("waits out %i averages", async (averaging) => {
    const { clock, open, letPass } = bench(tmp117, { averaging });
    const sensor = await letPass(open());
    const { values } = await letPass(sensor.read(never));
    expect(values.temperature).toBeCloseTo(simulatedWorld(clock).temperatureC(), 1);
  });

  test("is told from an LM75 at the same address", async () => {
    const { clock, hardware, open, letPass } = bench(tmp117);
    (await hardware.i2c("sim")).plug(0x48, lm75Chip(simulatedWorld(clock)));
    await expect(letPass(open())).rejects.toMatchObject({ code: expect.stringMatching(/CHIP_MISMATCH|BUS_NACK/) });
  });
});
