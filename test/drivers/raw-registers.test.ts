import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ads1013, ads1015, ads1113, ads1114, ads1115 } from "../../src/drivers/ads1115.ts";
import type { I2cDriver } from "../../src/drivers/driver.ts";
import { ds3231 } from "../../src/drivers/ds3231.ts";
import { ina219 } from "../../src/drivers/ina219.ts";
import { ina226 } from "../../src/drivers/ina226.ts";
import { ina260 } from "../../src/drivers/ina260.ts";
import { ina3221 } from "../../src/drivers/ina3221.ts";
import { lm75, tmp75 } from "../../src/drivers/lm75.ts";
import { max17048 } from "../../src/drivers/max17048.ts";
import { mcp3421, mcp3425 } from "../../src/drivers/mcp3421.ts";
import { mcp9808 } from "../../src/drivers/mcp9808.ts";
import { mlx90614 } from "../../src/drivers/mlx90614.ts";
import { tmp102 } from "../../src/drivers/tmp102.ts";
import { tmp117 } from "../../src/drivers/tmp117.ts";
import type { I2cDevice } from "../../src/hardware/i2c.ts";
import { bench } from "./bench.ts";

const never = new AbortController().signal;

/** Bytes as they stand on the wire, by register, which no write changes; other registers keep what is written. */
function rawChip(
  driver: I2cDriver,
  bytes: Readonly<Record<number, string>>,
  forced: Readonly<Record<number, number>> = {},
) {
  const registers = new Map(Object.entries(bytes).map(([register, hex]) => [Number(register), ofHex(hex)]));
  const written: number[][] = [];
  const device: I2cDevice = {
    busName: "raw",
    address: driver.addresses[0],
    async write(all) {
      written.push([...all]);
    },
    async read() {
      const [config = 0] = written.at(-1) ?? [];
      return Uint8Array.of(...(registers.get(0) ?? []), config & 0x7f);
    },
    async readRegister(register, length) {
      const found = registers.get(register) ?? [0, 0];
      const [first = 0, ...rest] = found;
      return Uint8Array.from([first | (forced[register] ?? 0), ...rest].slice(0, length));
    },
    async writeRegister(register, ...values) {
      written.push([register, ...values]);
      if (!(register in bytes)) registers.set(register, values);
    },
  };
  return { device, written };
}

function ofHex(hex: string): number[] {
  return hex.split(" ").map((byte) => Number.parseInt(byte, 16));
}

async function readRaw(
  driver: I2cDriver,
  options: object,
  bytes: Record<number, string>,
  forced?: Record<number, number>,
) {
  const { context, letPass } = bench(driver, { ...options });
  const { device, written } = rawChip(driver, bytes, forced);
  const sensor = await letPass(driver.open(device, z.strictObject(driver.options).parse(options), context));
  return { ...(await letPass(sensor.read(never))), written };
}

async function expectRaw(
  driver: I2cDriver,
  options: object,
  bytes: Record<number, string>,
  expected: Record<string, number>,
  forced?: Record<number, number>,
) {
  const { values, quality, written } = await readRaw(driver, options, bytes, forced);
  for (const [key, value] of Object.entries(expected)) expect(values[key], key).toBeCloseTo(value, 9);
  return { quality, written };
}

/** The chip is idle: what was asked for is done. */
const ADS_IDLE = { 1: 0x80 };

describe("words of the ADS1x1x (SBAS444E, SBAS473E: full scale by 32768 or 2048) and what starts them", () => {
  test.each([
    [ads1115, { inputs: ["a0"], range: 6.144 }, "13 88", 0.9375, 0xc183],
    [ads1115, { inputs: ["a1"], range: 4.096, rate: 860 }, "80 01", -4.095875, 0xd3e3],
    [ads1115, { inputs: ["a0-a1"], range: 2.048, rate: 8 }, "fa bd", -0.0841875, 0x8503],
    [ads1115, { inputs: ["a2-a3"], range: 1.024, rate: 250 }, "ff ff", -31.25e-6, 0xb7a3],
    [ads1115, { inputs: ["a0-a3"], range: 0.512, rate: 475 }, "40 00", 0.256, 0x99c3],
    [ads1115, { inputs: ["a1-a3"], range: 0.256, rate: 64 }, "00 01", 7.8125e-6, 0xab63],
    [ads1015, { inputs: ["a3"], range: 4.096 }, "3e 80", 2, 0xf383],
    [ads1015, { inputs: ["a2"], range: 2.048, rate: 3300 }, "ff f0", -0.001, 0xe5c3],
    [ads1015, { inputs: ["a0"], range: 0.256, rate: 128 }, "00 10", 0.000125, 0xcb03],
    [ads1114, { range: 1.024 }, "c0 00", -0.512, 0x8783],
    [ads1113, { rate: 860 }, "40 00", 1.024, 0x85e3],
    [ads1013, { rate: 128 }, "c0 00", -1.024, 0x8503],
  ] as const)("$name", async (driver, options, word, volts, config) => {
    const { values, written } = await readRaw(driver, options, { 0: word }, ADS_IDLE);
    expect(Object.values(values)).toEqual([expect.closeTo(volts, 9)]);
    expect(written.at(-1)).toEqual([1, config >> 8, config & 0xff]);
  });

  test("are saturated at either end", async () => {
    for (const word of ["7f ff", "80 00"]) {
      expect((await readRaw(ads1115, { inputs: ["a0"] }, { 0: word }, ADS_IDLE)).quality).toEqual({ a0: "saturated" });
    }
  });
});

describe("bytes of the MCP342x (DS22088C, table 4-1: 1 mV, 250 µV, 62.5 µV, 15.625 µV by the gain)", () => {
  test.each([
    [mcp3421, { bits: 18, gain: 1 }, "01 00 00", 1.024, 0x8c],
    [mcp3421, { bits: 18, gain: 8 }, "ff ff ff", -1.953125e-6, 0x8f],
    [mcp3421, { bits: 16, gain: 2, inputs: [2] }, "80 01", -1.02396875, 0xa9],
    [mcp3425, { bits: 12, gain: 4, inputs: [4] }, "fc 00", -0.256, 0xe2],
    [mcp3425, { bits: 14, gain: 1, inputs: [3] }, "00 01", 0.00025, 0xc4],
  ] as const)("$name", async (driver, options, data, volts, config) => {
    const { values, written } = await readRaw(driver, options, { 0: data });
    expect(Object.values(values)).toEqual([expect.closeTo(volts, 9)]);
    expect(written).toEqual([[config]]);
  });
});

describe("words of the power monitors", () => {
  test.each([
    [
      ina219,
      { shunt: 0.002, shunt_range: 40 },
      { 1: "07 d0", 2: "5d 98" },
      { voltage: 11.98, current: 10, power: 119.8 },
      undefined,
    ],
    [ina219, {}, { 1: "83 00", 2: "1f 42" }, { voltage: 4, shunt_voltage: -0.32, current: -3.2 }, "saturated"],
    [ina219, { shunt_range: 160 }, { 1: "c1 80", 2: "7d 00" }, { voltage: 16, shunt_voltage: -0.16 }, "saturated"],
    [ina219, { shunt_range: 160 }, { 1: "c1 81", 2: "00 0a" }, { voltage: 0.004, shunt_voltage: -0.15999 }, undefined],
    [
      ina226,
      { shunt: 0.002 },
      { 1: "1f 40", 2: "25 70", 255: "22 60" },
      { voltage: 11.98, current: 10, power: 119.8 },
      undefined,
    ],
    [
      ina226,
      {},
      { 1: "83 00", 2: "7f ff", 255: "22 61" },
      { voltage: 40.95875, shunt_voltage: -0.08, current: -0.8 },
      undefined,
    ],
    [
      ina260,
      {},
      { 1: "27 10", 2: "25 70", 3: "3a 7f", 254: "54 49", 255: "22 70" },
      { voltage: 11.98, current: 12.5, power: 149.75 },
      undefined,
    ],
    [
      ina260,
      {},
      { 1: "ff ff", 2: "00 01", 3: "00 01", 254: "54 49", 255: "22 70" },
      { voltage: 0.00125, current: -0.00125, power: 0.01 },
      undefined,
    ],
    [
      ina3221,
      { inputs: [2], shunt: 0.01 },
      { 3: "c1 80", 4: "7f f8", 254: "54 49", 255: "32 20" },
      { voltage_2: 32.76, current_2: -8 },
      undefined,
    ],
    [
      ina3221,
      { inputs: [3] },
      { 5: "00 08", 6: "00 08", 254: "54 49", 255: "32 20" },
      { voltage_3: 0.008, current_3: 0.0004, power_3: 3.2e-6 },
      undefined,
    ],
  ] as const)(
    "$name (SBOS448G, SBOS547B, SBOS656C, SBOS576B: their examples and ends)",
    async (driver, options, bytes, expected, ending) => {
      const { quality } = await expectRaw(driver, options, bytes, expected);
      expect(quality?.current).toBe(ending);
    },
  );

  test("an INA230 has a die's id and none of its maker (SBOS601)", async () => {
    await expectRaw(ina226, {}, { 1: "00 00", 2: "09 60", 254: "00 00", 255: "22 60" }, { voltage: 3, current: 0 });
  });

  test("a MAX17048's cell, charge and rate (rev. 7, table 2)", async () => {
    await expectRaw(
      max17048,
      {},
      { 2: "c5 80", 4: "32 80", 8: "00 12", 22: "ff f6", 26: "00 00" },
      { voltage: 3.95, battery: 50.5, charge_rate: -2.08 },
    );
    await expectRaw(
      max17048,
      {},
      { 2: "ff ff", 4: "65 40", 8: "00 11", 22: "00 01" },
      { voltage: 5.119921875, battery: 100, charge_rate: 0.208 },
    );
  });
});

describe("words of the thermometers", () => {
  const mcp9808Ids = { 6: "00 54", 7: "04 00" };
  test.each([
    [lm75, { bits: 9 }, { 0: "e7 7f" }, -25],
    [lm75, { bits: 9 }, { 0: "ff 80" }, -0.5],
    [lm75, {}, { 0: "7e 20" }, 126.125],
    [lm75, {}, { 0: "c9 00" }, -55],
    [tmp75, {}, { 0: "ff c0" }, -0.25],
    [tmp75, {}, { 0: "19 10" }, 25.0625],
    [tmp75, {}, { 0: "64 00" }, 100],
    [tmp102, {}, { 0: "e7 00", 1: "60 e0" }, -25],
    [tmp102, {}, { 0: "00 40", 1: "60 e0" }, 0.25],
    [tmp102, {}, { 0: "7f f0", 1: "60 e0" }, 127.9375],
    [tmp117, {}, { 0: "ff ff", 1: "22 20", 15: "01 17" }, -0.0078125],
    [tmp117, {}, { 0: "e4 80", 1: "22 20", 15: "11 16" }, -55],
    [tmp117, {}, { 0: "4b 00", 1: "22 20", 15: "21 17" }, 150],
    [mcp9808, {}, { 5: "c1 94", ...mcp9808Ids }, 25.25],
    [mcp9808, {}, { 5: "3e 6c", ...mcp9808Ids }, -25.25],
    [mcp9808, {}, { 5: "1d 80", ...mcp9808Ids }, -40],
    [ds3231, {}, { 15: "88 00 19 40" }, 25.25],
    [ds3231, {}, { 15: "08 00 f5 80" }, -10.5],
    [ds3231, {}, { 15: "08 00 ff c0" }, -0.25],
  ] as const)("$name (their datasheets' tables)", async (driver, options, bytes, temperature) => {
    await expectRaw(driver, options, bytes, { temperature });
  });

  /** PECs by another program; the first is the datasheet's example (rev. 13, §8.4.5). */
  const mlxIds = { 60: "34 12 f6", 61: "00 00 33", 62: "ff ff 2d", 63: "01 80 83" };
  test.each([
    ["d2 3a 30", 28.01],
    ["ad 27 02", -70.01],
    ["ff 7f ab", 382.19],
  ])("a MLX90614's %s", async (object, temperature) => {
    await expectRaw(
      mlx90614,
      {},
      { 7: object, 6: "f7 3a c9", ...mlxIds },
      { object_temperature: temperature, ambient_temperature: 28.75 },
    );
  });

  test("a MLX90614's error flag and a wrong PEC are errors", async () => {
    const read = (object: string) => readRaw(mlx90614, {}, { 7: object, 6: "f7 3a c9", ...mlxIds });
    await expect(read("bc 8a 0a")).rejects.toMatchObject({ code: "BAD_VALUE" });
    await expect(read("d2 3a 31")).rejects.toMatchObject({ code: "CHECKSUM" });
  });

  test("a DS3231 that goes on converting is NOT_READY", async () => {
    await expect(readRaw(ds3231, {}, { 15: "8c 00 00 00" })).rejects.toMatchObject({ code: "NOT_READY" });
  });
});
