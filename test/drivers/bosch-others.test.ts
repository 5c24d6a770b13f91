import { describe, expect, test } from "vitest";
import { bme680, decode as decodeBme680 } from "../../src/drivers/bme680.ts";
import {
  type Bme680Calibration,
  decodeCalibration as decodeBme680Calibration,
  gasResistance,
  heaterCode,
  heaterWaitCode,
} from "../../src/drivers/bme680-formulas.ts";
import { bmp180, decode as decodeBmp180, decodeCalibration } from "../../src/drivers/bmp180.ts";
import { decode as decodeBmp388, decodeTrimming as decodeTrimming388 } from "../../src/drivers/bmp388.ts";
import {
  integerFine680,
  integerHumidity680,
  integerPressure680,
  integerTemperature680,
} from "../../src/hardware/simulated/chips/bme680-integer.ts";
import {
  integerPressure388,
  integerTemperature388,
  TRIMMING_BYTES,
} from "../../src/hardware/simulated/chips/bmp388-integer.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;
const badValue = expect.objectContaining({ code: "BAD_VALUE" });
const code20 = (code: number) => [code >> 12, (code >> 4) & 0xff, (code & 0xf) << 4];

describe("bme680", () => {
  const [wild, gas, full, heater] = vectorsOf("bme680");
  const input = wild!.input;
  const calibration: Bme680Calibration = {
    T: [input.t1, input.t2, input.t3 * 16],
    P: [input.p1, input.p2, input.p3, input.p4, input.p5, input.p6, input.p7, input.p8, input.p9, input.p10],
    H: [input.h1, input.h2, input.h3, input.h4, input.h5, input.h6, input.h7],
    G: [input.gh1, input.gh2, input.gh3],
    heatRange: input.res_heat_range,
    heatValue: input.res_heat_val,
    switchingError: input.range_sw_err,
  };
  const field = (adcP: number, adcT: number, adcH: number, gasBytes = [0, 0]) =>
    Uint8Array.of(0x80, 0, ...code20(adcP), ...code20(adcT), adcH >> 8, adcH & 0xff, 0, 0, 0, ...gasBytes, 0, 0);

  test("compensates as Bosch's own floating point code does", () => {
    const { values } = decodeBme680(field(input.adcP, input.adcT, input.adcH), calibration, {
      gas: true,
      isHigh: false,
    });
    expect(values.temperature).toBeCloseTo(wild!.expect.float.temperatureC, 3);
    expect(values.pressure).toBeCloseTo(wild!.expect.float.pressurePa / 100, 3);
    expect(values.humidity).toBeCloseTo(wild!.expect.float.humidityPct, 3);
  });

  test("has a simulation whose integers are those of Bosch's own code", () => {
    const integers = { T: [input.t1, input.t2, input.t3], P: calibration.P, H: calibration.H } as const;
    const fine = integerFine680(input.adcT, integers);
    expect(integerTemperature680(input.adcT, integers)).toBe(wild!.expect.int.tC100);
    expect(Math.abs(integerPressure680(input.adcP, fine, integers) - wild!.expect.int.pPa)).toBeLessThanOrEqual(1);
    expect(Math.abs(integerHumidity680(input.adcH, fine, integers) - wild!.expect.int.hMilliPct)).toBeLessThanOrEqual(
      1,
    );
  });

  test("gives the resistance of either gas converter", () => {
    const { gas_adc, gas_range } = gas!.input;
    expect(gasResistance(gas_adc, gas_range, false, calibration)).toBeCloseTo(gas!.expect.gasLowOhm, -1);
    expect(gasResistance(gas_adc, gas_range, true, calibration)).toBeCloseTo(gas!.expect.gasHighOhm, -1);
    expect(gasResistance(0, 0, true, calibration)).toBeCloseTo(full!.expect.gasHighOhmInt, 0);
    expect(gasResistance(0, 0, false, calibration) / full!.expect.gasLowOhmInt).toBeCloseTo(1, 3);
  });

  test("heats to the temperature that it is told", () => {
    expect(heaterCode(heater!.input.targetC, heater!.input.ambientC, calibration)).toBe(heater!.expect.res_heat);
    expect([1, 63, 64, 150, 4000, 5000].map(heaterWaitCode)).toEqual([0x01, 0x3f, 0x50, 0x65, 0xfe, 0xff]);
  });

  test.each([
    ["not valid", 0x10],
    ["of a heater that was not hot enough", 0x20],
  ])("leaves out gas that is %s", (_why, status) => {
    const read = (flags: number) =>
      decodeBme680(field(input.adcP, input.adcT, input.adcH, [151, 0x80 | flags | 5]), calibration, {
        gas: true,
        isHigh: false,
      }).values;
    expect(read(status)).not.toHaveProperty("gas_resistance");
    expect(read(0x30)).toHaveProperty("gas_resistance");
  });

  test("shows what was not measured as nothing", () => {
    const skipped = decodeBme680(field(0x80000, input.adcT, 0x8000), calibration, { gas: false, isHigh: false });
    expect(Object.keys(skipped.values)).toEqual(["temperature"]);
    expect(() =>
      decodeBme680(field(input.adcP, 0x80000, input.adcH), calibration, { gas: false, isHigh: false }),
    ).toThrow(badValue);
  });

  test("says for five minutes that the gas sensor is warming", async () => {
    const { clock, open, letPass } = bench(bme680);
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).quality).toEqual({ gas_resistance: "warming" });
    await clock.advance(300_000);
    expect((await letPass(sensor.read(never))).quality).toBeUndefined();
  });

  test("has no gas channel where the heater is left off", async () => {
    const { open, letPass } = bench(bme680, { gas: "off" });
    const sensor = await letPass(open());
    expect(Object.keys((await letPass(sensor.read(never))).values)).toEqual(["temperature", "humidity", "pressure"]);
  });

  test("refuses a chip without calibration values", () => {
    const blank = (length: number) => new Uint8Array(length).fill(0xff);
    expect(() => decodeBme680Calibration(blank(23), blank(14), blank(5))).toThrow(badValue);
  });
});

describe("bmp180", () => {
  const [example, wild] = vectorsOf("bmp180");

  test("computes the datasheet's worked example to the pascal", () => {
    const { UT, UP, oss, ...calibration } = example!.input;
    const values = decodeBmp180(UT, UP, oss, calibration);
    expect(values).toEqual({ temperature: example!.expect.temperatureC, pressure: example!.expect.pressurePa / 100 });
  });

  test("computes a chip of the wild", () => {
    const calibration = decodeCalibration(bytes(wild!.input.calibBytes0xAA));
    const values = decodeBmp180(0x71bf, 0xab96, wild!.input.oss, calibration);
    expect(values).toEqual({ temperature: wild!.expect.temperatureC, pressure: wild!.expect.pressurePa / 100 });
  });

  test.each([1, 2, 4, 8])("waits out %i samples", async (oversampling) => {
    const { open, letPass } = bench(bmp180, { oversampling });
    const sensor = await letPass(open());
    const { values } = await letPass(sensor.read(never));
    expect(values.pressure).toBeGreaterThan(1000);
    expect(values.pressure).toBeLessThan(1030);
  });

  test.each(["00 00", "FF FF"])("refuses a calibration word of %s", (word) => {
    const [, ...rest] = wild!.input.calibBytes0xAA.match(/.. ../g);
    expect(() => decodeCalibration(bytes([word, ...rest].join(" ")))).toThrow(badValue);
  });
});

describe("bmp388", () => {
  const vectors = vectorsOf("bmp388");
  const trimming = decodeTrimming388(bytes(vectors[0]!.input.nvm0x31));
  const code24 = (code: number) => [code & 0xff, (code >> 8) & 0xff, code >> 16];

  test.each(vectors)(
    "compensates $input.adcT and $input.adcP as Bosch's own code does",
    ({ input, expect: expected }) => {
      const values = decodeBmp388(Uint8Array.of(...code24(input.adcP), ...code24(input.adcT)), trimming);
      expect(values.temperature).toBeCloseTo(expected.temperatureC, 5);
      expect(values.pressure).toBeCloseTo(expected.pressurePa / 100, 3);
      const { hundredths, linear } = integerTemperature388(input.adcT);
      expect(hundredths / 100).toBeCloseTo(expected.temperatureC, 1);
      expect(integerPressure388(input.adcP, linear) / 100).toBeCloseTo(expected.pressurePa, 0);
    },
  );

  test("has a simulation with the vectors' trimming values", () => {
    expect(Uint8Array.from(TRIMMING_BYTES)).toEqual(bytes(vectors[0]!.input.nvm0x31));
  });

  test("shows what was not measured as nothing, and a chip without trimming values as a fault", () => {
    const skipped = Uint8Array.of(...code24(0x800000), ...code24(8_500_000));
    expect(Object.keys(decodeBmp388(skipped, trimming))).toEqual(["temperature"]);
    expect(() => decodeBmp388(Uint8Array.of(...code24(6_800_000), ...code24(0x800000)), trimming)).toThrow(badValue);
    expect(() => decodeTrimming388(new Uint8Array(21))).toThrow(badValue);
    expect(() => decodeTrimming388(new Uint8Array(21).fill(0xff))).toThrow(badValue);
  });
});
