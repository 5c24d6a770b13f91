import { describe, expect, test } from "vitest";
import { decode as decodeAht20 } from "../../src/drivers/aht20.ts";
import { decode as decodeBmp180 } from "../../src/drivers/bmp180.ts";
import { crc8 } from "../../src/drivers/crc.ts";
import { decode as decodeDs3231 } from "../../src/drivers/ds3231.ts";
import { decode as decodeHdc302x } from "../../src/drivers/hdc302x.ts";
import { celsius as htuCelsius } from "../../src/drivers/htu21d.ts";
import { decode as decodeIna226 } from "../../src/drivers/ina226.ts";
import { decode as decodeMlx90614 } from "../../src/drivers/mlx90614.ts";
import { celsius as mpuCelsius } from "../../src/drivers/mpu6050.ts";
import { decode as decodeScd4x } from "../../src/drivers/scd4x.ts";
import { decode as decodeSht3x } from "../../src/drivers/sht3x.ts";
import { decode as decodeShtc3 } from "../../src/drivers/shtc3.ts";
import { sensirionWord } from "../../src/hardware/simulated/chips/sensirion.ts";
import { vectorsOf } from "./vectors.ts";

/** Ends of the scales, and what is below zero, computed by hand from the datasheets' laws. */
const words = (...values: number[]) => Uint8Array.from(values.flatMap(sensirionWord));

describe("at the ends of the scale", () => {
  test.each([
    ["sht3x", decodeSht3x],
    ["hdc302x", decodeHdc302x],
  ] as const)("%s gives -45 °C and 0 %, 130 °C and 100 %", (_name, decode) => {
    expect(decode(words(0, 0))).toEqual({ temperature: -45, humidity: 0 });
    expect(decode(words(0xffff, 0xffff))).toEqual({ temperature: 130, humidity: 100 });
  });

  test("shtc3, which divides by 65536, stays a step below", () => {
    const { temperature, humidity } = decodeShtc3(words(0xffff, 0xffff));
    expect(temperature).toBeCloseTo(129.99733, 5);
    expect(humidity).toBeCloseTo(99.998474, 6);
  });

  test("scd4x gives its largest concentration", () => {
    expect(decodeScd4x(words(40_000, 0, 0xffff))).toEqual({ co2: 40_000, temperature: -45, humidity: 100 });
  });

  test("aht20 gives -50 °C and 0 %, and a step below 150 °C and 100 %", () => {
    const frame = (...data: number[]) => {
      const bytes = Uint8Array.of(0x18, ...data);
      return Uint8Array.of(...bytes, crc8(bytes));
    };
    expect(decodeAht20(frame(0, 0, 0, 0, 0))).toEqual({ temperature: -50, humidity: 0 });
    const { temperature, humidity } = decodeAht20(frame(0xff, 0xff, 0xff, 0xff, 0xff));
    expect(temperature).toBeCloseTo(149.99981, 5);
    expect(humidity).toBeCloseTo(99.999905, 6);
  });
});

describe("below zero", () => {
  test("htu21d, mlx90614, mpu6050 and ds3231", () => {
    expect(htuCelsius(0x2000)).toBeCloseTo(-46.85 + 175.72 / 8, 9);
    expect(decodeMlx90614(10_158)).toBeCloseTo(-69.99, 6);
    expect(mpuCelsius(-16_320, true)).toBeCloseTo(-11.47, 6);
    expect([decodeDs3231(0xff, 0xc0), decodeDs3231(0xff, 0x40), decodeDs3231(0xd8, 0)]).toEqual([-0.25, -0.75, -40]);
  });

  test("bmp180 goes on with the datasheet's own chip, and refuses what no chip can have", () => {
    const { UT, UP, oss, ...calibration } = vectorsOf("bmp180")[0]!.input;
    // X1 = (24000 - 23153) * 32757 / 2^15 = 846; X2 = -8711 * 2048 / (846 + 2868) = -4803; B5 = -3957.
    expect(decodeBmp180(24_000, UP, oss, calibration).temperature).toBe(-24.7);
    expect(() => decodeBmp180(0, UP, oss, calibration)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
    expect(() => decodeBmp180(0xffff, UP, oss, calibration)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("ina226 with a current that flows back", () => {
    const { values } = decodeIna226(0x2570, 0xe0c0, 0.002);
    expect(values.shunt_voltage).toBeCloseTo(-0.02, 9);
    expect(values.current).toBeCloseTo(-10, 9);
    expect(values.power).toBeCloseTo(-119.8, 6);
  });
});
