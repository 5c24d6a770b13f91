import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bme280, decode, decodeHumidityTrimming } from "../../src/drivers/bme280.ts";
import { bmp280, decode as decodeBmp280 } from "../../src/drivers/bmp280.ts";
import { decodeTrimming, measurementMs, type Trimming } from "../../src/drivers/bosch-280.ts";
import { bmp280Chip } from "../../src/hardware/simulated/chips/bmp280.ts";
import {
  integerFine,
  integerHumidity,
  integerPressure,
  integerTemperature,
} from "../../src/hardware/simulated/chips/bosch-280-integer.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, chipVectors } from "./vectors.ts";

const [wild, packing] = chipVectors.bme280 as [(typeof chipVectors.bme280)[0], (typeof chipVectors.bme280)[1]];
const [example] = chipVectors.bmp280;
const never = new AbortController().signal;

function trimmingOf(values: Record<string, number>): Trimming {
  const named = (name: string) => values[name] ?? Number.NaN;
  return {
    T: [named("T1"), named("T2"), named("T3")],
    P: ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"].map(named) as unknown as Trimming["P"],
  };
}

const code20 = (code: number) => [code >> 12, (code >> 4) & 0xff, (code & 0xf) << 4];

describe("compensation", () => {
  test("of the datasheet's worked example gives its temperature and pressure", () => {
    const { input, expect: expected } = example!;
    const data = Uint8Array.of(...code20(input.adcP), ...code20(input.adcT));
    const values = decodeBmp280(data, trimmingOf(input));
    expect(values.temperature).toBeCloseTo(expected.temperatureC, 2);
    expect(values.pressure).toBeCloseTo(expected.pressurePa / 100, 3);
  });

  test("of a chip out of the wild agrees with Bosch's own code for all three quantities", () => {
    const input = wild.input as Record<string, number>;
    const humidity = [1, 2, 3, 4, 5, 6].map((index) => input[`H${index}`]) as unknown as Parameters<typeof decode>[2];
    const adcH = input.adcH!;
    const data = Uint8Array.of(...code20(input.adcP!), ...code20(input.adcT!), adcH >> 8, adcH & 0xff);
    const values = decode(data, trimmingOf(input), humidity);
    expect(values.temperature).toBeCloseTo(wild.expect.temperatureC!, 5);
    expect(values.pressure).toBeCloseTo(wild.expect.pressurePa! / 100, 3);
    expect(values.humidity).toBeCloseTo(wild.expect.humidityPct!, 5);
  });

  test("in integers, as the simulated chips use it, agrees with Bosch's own integer code", () => {
    const input = wild.input as Record<string, number>;
    const trimming = trimmingOf(input);
    const fine = integerFine(input.adcT!, trimming);
    const humidity = [1, 2, 3, 4, 5, 6].map((index) => input[`H${index}`]) as unknown as Parameters<typeof decode>[2];
    const expected = wild.expect.int64!;
    expect(integerTemperature(input.adcT!, trimming)).toBe(expected.tC100);
    expect(Math.trunc((integerPressure(input.adcP!, fine, trimming) * 100) / 256)).toBe(expected.pPa100);
    expect(integerHumidity(input.adcH!, fine, humidity)).toBe(expected.h1024);
  });
});

describe("trimming values", () => {
  test("H4 and H5 share a byte, half each", () => {
    const [, H2, H3, H4, H5, H6] = decodeHumidityTrimming(75, bytes(packing.input.bytes0xE1to0xE7!));
    expect({ H2, H3, H4, H5, H6 }).toEqual(packing.expect);
  });

  test("H4, H5 and H6 are signed", () => {
    const [, , , H4, H5, H6] = decodeHumidityTrimming(75, bytes("5C 01 00 FF 0F FF FE"));
    expect([H4, H5, H6]).toEqual([-1, -16, -2]);
  });

  test.each(["00", "FF"])("that are all %s are BAD_VALUE, not a division by zero", (byte) => {
    const blank = bytes(Array(24).fill(byte).join(" "));
    expect(() => decodeTrimming(blank)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });
});

describe("a skipped measurement", () => {
  const trimming = trimmingOf(wild.input as Record<string, number>);
  const skipped = code20(0x80000);
  const measured = code20(529191);

  test("of pressure or humidity leaves the channel out", () => {
    const values = decode(Uint8Array.of(...skipped, ...measured, 0x80, 0x00), trimming, [75, 376, 0, 286, 50, 30]);
    expect(Object.keys(values)).toEqual(["temperature"]);
  });

  test("of temperature is BAD_VALUE, because nothing else can be computed without it", () => {
    const data = Uint8Array.of(...measured, ...skipped);
    expect(() => decodeBmp280(data, trimming)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });
});

describe("bytes that are no measurement", () => {
  const trimming = trimmingOf(wild.input as Record<string, number>);
  const humidityTrimming = [75, 376, 0, 286, 50, 30] as const;

  test.each([0x00, 0xff])("all 0x%s are BAD_VALUE, and no humidity of 0 or 100 %", (byte) => {
    const data = new Uint8Array(8).fill(byte);
    expect(() => decode(data, trimming, humidityTrimming)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("of any kind are BAD_VALUE or finite numbers", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (data) => {
        try {
          for (const value of Object.values(decode(data, trimming, humidityTrimming))) {
            expect(value).toSatisfy(Number.isFinite);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: "BAD_VALUE" });
        }
      }),
    );
  });
});

describe("on the bus", () => {
  test("a BMP280 under the name of a BME280 is CHIP_MISMATCH, and the message says what it is", async () => {
    const { clock, hardware, open } = bench(bme280);
    const bus = await hardware.i2c("sim");
    bus.plug(0x76, bmp280Chip(simulatedWorld(clock)));
    await expect(open()).rejects.toMatchObject({
      code: "CHIP_MISMATCH",
      message: "the chip at 0x76 on sim is not a BME280: id 0x58 is a BMP280",
    });
  });

  test.each([1, 2, 4, 8, 16])("with oversampling %d the driver waits for the longest time", async (oversampling) => {
    const { clock, open, letPass } = bench(bme280, { oversampling });
    const sensor = await letPass(open());
    const startMs = clock.monoMs();
    await letPass(sensor.read(never));
    expect(clock.monoMs() - startMs).toBeGreaterThanOrEqual(measurementMs(oversampling as 1, 3));
  });

  test("the longest times are the datasheets': 6.4 ms for a BMP280, 9.3 ms for a BME280", () => {
    expect(measurementMs(1, 2)).toBeCloseTo(6.4, 1);
    expect(measurementMs(1, 3)).toBeCloseTo(9.3, 1);
  });

  test("a brown-out between two reads costs nothing: the settings are written with each", async () => {
    const { clock, hardware, open, letPass } = bench(bme280);
    const sensor = await letPass(open());
    const bus = await hardware.i2c("sim");
    await bus.transfer([{ address: 0x76, write: Uint8Array.of(0xe0, 0xb6) }]);
    await clock.advance(5);
    const { values } = await letPass(sensor.read(never));
    expect(Object.keys(values)).toEqual(["temperature", "humidity", "pressure"]);
  });

  test("a chip that is always busy is NOT_READY", async () => {
    const { hardware, open, letPass } = bench(bmp280);
    const sensor = await letPass(open());
    const bus = await hardware.i2c("sim");
    bus.plug(0x76, { write: () => undefined, read: (length) => new Uint8Array(length).fill(0x08) });
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "NOT_READY" });
  });
});

test.each([bme280, bmp280])("a $name that another program left in normal mode is reset and read", async (driver) => {
  const { open, letPass, hardware } = bench(driver, { filter: 4 });
  const bus = await hardware.i2c("sim");
  const address = driver.port === "i2c" ? driver.addresses[0] : 0;
  // Oversampling of 16 for both, normal mode: it measures for 68 ms and rests for half a millisecond.
  await bus.transfer([{ address, write: Uint8Array.of(0xf4, 0b101_101_11) }]);
  const sensor = await letPass(open());
  const { values } = await letPass(sensor.read(never));
  expect(values.temperature).toBeCloseTo(22.25, 1);
  const [config] = await bus.transfer([{ address, write: Uint8Array.of(0xf5), read: 1 }]);
  expect(config).toEqual(Uint8Array.of(0b010_00));
});
