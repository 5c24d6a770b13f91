import { describe, expect, test } from "vitest";
import { bme280 } from "../../src/drivers/bme280.ts";
import { bme680 } from "../../src/drivers/bme680.ts";
import { bmp180 } from "../../src/drivers/bmp180.ts";
import { bmp280 } from "../../src/drivers/bmp280.ts";
import { bmp388 } from "../../src/drivers/bmp388.ts";
import type { Driver } from "../../src/drivers/driver.ts";
import type { SimulatedChip, World } from "../../src/hardware/simulated/chip.ts";
import { bme280Chip } from "../../src/hardware/simulated/chips/bme280.ts";
import { bme680Chip } from "../../src/hardware/simulated/chips/bme680.ts";
import { bmp180Chip } from "../../src/hardware/simulated/chips/bmp180.ts";
import { bmp280Chip } from "../../src/hardware/simulated/chips/bmp280.ts";
import { bmp388Chip } from "../../src/hardware/simulated/chips/bmp388.ts";
import { byteRegisterChip } from "../../src/hardware/simulated/chips/registers.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes } from "./vectors.ts";

/**
 * Raw registers in, values out, through the bus. The values were computed apart from this code, in Python, by the formulas
 * of Linux' bmp280-core.c (64-bit integers for the pressure) and of Bosch's BME68x Sensor API (floating point).
 */

const never = new AbortController().signal;

type Image = Readonly<Record<number, string>>;

/** A register file that shows what it is given, whatever is asked of it; `written` may change it. */
function imageChip(image: Image, written?: (registers: Uint8Array, register: number, value: number) => void) {
  const registers = new Uint8Array(256);
  for (const [at, hex] of Object.entries(image)) registers.set(bytes(hex), Number(at));
  return byteRegisterChip({
    registers,
    write(register, value) {
      registers[register] = value;
      written?.(registers, register, value);
    },
  });
}

async function readFrom(driver: Driver, chip: SimulatedChip, options = {}) {
  const { hardware, open, letPass } = bench(driver, options);
  (await hardware.i2c("sim")).plug(driver.port === "i2c" ? driver.addresses[0] : 0, chip);
  const sensor = await letPass(open());
  return await letPass(sensor.read(never));
}

const close = (value: number, digits: number) => expect.closeTo(value, digits);

describe("bme280 and bmp280", () => {
  const worked = "70 6b 43 67 18 fc 7d 8e 43 d6 d0 0b 27 0b 8c 00 f9 ff 8c 3c f8 c6 70 17";
  const other = "45 6f 6f 68 32 00 82 8f 75 d6 d0 0b 44 1b fc ff f9 ff ac 26 0a d8 bd 10";

  test.each([
    ["the datasheet's example", worked, "72 01 00 13 29 03 1e", "65 5a c0 7e ed 00 7c 00", 25.08, 1006.533, 66.099],
    ["hot", worked, "72 01 00 13 29 03 1e", "65 5a c0 a1 22 00 7c 00", 68.76, 1074.305, 68.253],
    ["below zero", worked, "72 01 00 13 29 03 1e", "88 b8 00 68 fb 00 60 00", -3.17, 725.872, 26.025],
    ["wet", other, "6f 01 00 12 2d 03 1e", "88 b8 00 83 d6 00 90 00", 26.85, 641.873, 98.728],
    ["dry", other, "6f 01 00 12 2d 03 1e", "65 5a c0 92 7c 00 50 00", 45.98, 916.121, 4.387],
    ["saturated", other, "6f 01 00 12 2d 03 1e", "65 5a c0 92 7c 00 ff ff", 45.98, 916.121, 100],
  ])("%s", async (_name, trimming, humidityTrimming, data, temperature, pressure, humidity) => {
    const image = { 136: trimming, 161: "4b", 225: humidityTrimming, 247: data };
    const both = { temperature: close(temperature, 2), pressure: close(pressure, 2) };
    expect((await readFrom(bmp280, imageChip({ ...image, 208: "58" }))).values).toEqual(both);
    const all = { ...both, humidity: expect.toSatisfy((value) => Math.abs(value - humidity) < 0.01) };
    expect((await readFrom(bme280, imageChip({ ...image, 208: "60" }))).values).toEqual(all);
  });
});

describe("bmp180", () => {
  const first = "1e e7 fc 5a c8 1e 7b 4f 64 47 4a 1e 15 7a 00 2e 80 00 d4 bd 09 80";
  const second = "23 88 fb 67 c7 a9 87 5b 62 89 50 16 19 73 00 2e 80 00 d1 f6 0a 7b";

  test.each([
    [1, first, "6c fa", "90 88 00", 28.7, 930.43],
    [2, first, "61 a8", "a0 28 00", 9.7, 1005.1],
    [4, second, "75 30", "5d 23 c0", 30.6, 434.61],
    [8, second, "61 a8", "90 88 00", -2.9, 738.52],
  ])("with %i samples a pressure", async (oversampling, calibration, UT, UP, temperature, pressure) => {
    const chip = imageChip({ 208: "55", 170: calibration }, (registers, register, value) => {
      if (register !== 0xf4) return;
      registers[register] = value & ~0x20;
      registers.set(bytes((value & 0x1f) === 0x0e ? UT : UP), 0xf6);
    });
    const sample = await readFrom(bmp180, chip, { oversampling });
    expect(sample.values).toEqual({ temperature, pressure: close(pressure, 5) });
  });

  test("a conversion that does not end is NOT_READY, and no old value", async () => {
    const busy = imageChip({ 208: "55", 170: first, 246: "6c fa 00" });
    await expect(readFrom(bmp180, busy)).rejects.toMatchObject({ code: "NOT_READY" });
  });

  test.each([0x0e, 0x14])("a reset during conversion 0x%s is BAD_VALUE", async (conversion) => {
    const { clock, hardware, open, letPass } = bench(bmp180);
    const chip = bmp180Chip(simulatedWorld(clock));
    const resetting: SimulatedChip = {
      ...chip,
      write(written) {
        chip.write(written);
        if (written[0] === 0xf4 && ((written[1] ?? 0) & 0x1f) === conversion) chip.write(Uint8Array.of(0xe0, 0xb6));
      },
    };
    (await hardware.i2c("sim")).plug(0x77, resetting);
    const sensor = await letPass(open());
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("0x8000 that was converted is a value like any other", async () => {
    const chip = imageChip({ 208: "55", 170: first }, (registers, register, value) => {
      if (register !== 0xf4) return;
      registers[register] = value & ~0x20;
      registers.set(bytes("80 00 00"), 0xf6);
    });
    expect((await readFrom(bmp180, chip)).values.temperature).toBeGreaterThan(40);
  });
});

test.each([
  ["98 6c a9 4a f9 e3 1c 61 16 06 01 51 4a de 5d 03 fa f9 0e 06 f5", "80 c2 67 20 b3 81", 24.57, 1003.878],
  ["98 6c a9 4a f9 e3 1c 61 16 06 01 51 4a de 5d 03 fa f9 0e 06 f5", "40 54 89 a0 63 6f", 3.26, 765.801],
  ["23 6b 5b 49 f6 79 f6 0c f7 24 ff e8 63 ae 78 f3 f6 09 41 0d c4", "80 c2 67 a0 37 a0", 60.4, 997.094],
])("bmp388 with trimming values %s", async (trimming, data, temperature, pressure) => {
  const { values } = await readFrom(bmp388, imageChip({ 0: "60", 3: "70", 4: data, 49: trimming }));
  // The kernel cuts off at hundredths of a degree.
  expect(values).toEqual({ temperature: close(temperature + 0.005, 2), pressure: close(pressure, 2) });
});

describe("bme680 and bme688", () => {
  const image = {
    0: "ec aa d3 55 d5",
    138: "d9 66 03 00 17 8c 93 d7 58 00 fa 23 44 ff 3c 1e 00 00 4c fb 71 f3 1e",
    225: "3f 60 31 00 2d 14 78 9c 74 65 ef d3 db 12",
    208: "61",
  };

  test.each([
    ["00", "80 01 56 4c d0 6d dd 00 61 a8 00 00 00 ff ff 07 f3", 10.81, 933.724, 66.55, 176.1908],
    ["01", "80 01 56 4c d0 6d dd 00 61 a8 00 00 00 07 f3 97 b5", 10.81, 933.724, 66.55, 1_871_174],
    ["00", "80 01 6d dd 00 5f 37 00 2e e0 00 00 00 00 34 07 f3", -8.02, 744.715, 0, 814_069.08],
  ])("variant %s with field %s", async (variant, field, temperature, pressure, humidity, gas) => {
    const { values } = await readFrom(bme680, imageChip({ ...image, 240: variant, 29: field }));
    expect(values).toEqual({
      temperature: close(temperature, 2),
      pressure: close(pressure, 2),
      humidity: close(humidity, 2),
      gas_resistance: expect.toSatisfy((ohm) => Math.abs(ohm / gas - 1) < 1e-6),
    });
  });

  test.each(["a0", "c0"])("a field of status 0x%s is still being measured: NOT_READY", async (status) => {
    const field = `${status} 01 56 4c d0 6d dd 00 61 a8 00 00 00 ff ff 07 f3`;
    await expect(readFrom(bme680, imageChip({ ...image, 29: field }))).rejects.toMatchObject({ code: "NOT_READY" });
  });
});

describe("the filter", () => {
  const chips = [
    [bme280, bme280Chip, 16, Uint8Array.of(0xe0, 0xb6)],
    [bmp280, bmp280Chip, 16, Uint8Array.of(0xe0, 0xb6)],
    [bme680, bme680Chip, 127, Uint8Array.of(0xe0, 0xb6)],
    [bmp388, bmp388Chip, 127, Uint8Array.of(0x7e, 0xb6)],
  ] as const;

  test.each(chips)(
    "of $name remembers from one reading to the next, and starts anew after a brown-out",
    async (...row) => {
      const [driver, chipOf, filter, reset] = row;
      const { clock, hardware, open, letPass } = bench(driver, { filter });
      let temperatureC = 20;
      const world: World = { ...simulatedWorld(clock), temperatureC: () => temperatureC };
      const chip = chipOf(world);
      (await hardware.i2c("sim")).plug(driver.port === "i2c" ? driver.addresses[0] : 0, chip);
      const sensor = await letPass(open());
      const read = async () => (await letPass(sensor.read(never))).values.temperature;
      expect(await read()).toBeCloseTo(20, 1);
      temperatureC = 30;
      const smoothed = await read();
      expect(smoothed).toBeGreaterThan(20.02);
      expect(smoothed).toBeLessThan(21);
      chip.write(reset);
      await clock.advance(5);
      expect(await read()).toBeCloseTo(30, 1);
      temperatureC = 20;
      expect(await read()).toBeGreaterThan(29);
    },
  );
});
