import { describe, expect, test } from "vitest";
import { adxl345 } from "../../src/drivers/adxl345.ts";
import { amg8833 } from "../../src/drivers/amg8833.ts";
import { as5600 } from "../../src/drivers/as5600.ts";
import { mpu6050 } from "../../src/drivers/mpu6050.ts";
import { bytesChip, opened, readingOf } from "./raw.ts";

/** Bytes as they come from the chip, and values computed from them apart from the drivers. */

const never = new AbortController().signal;

describe("mpu6050, by the sensitivities of its datasheet (PS-MPU-6000A, §6.1, §6.2)", () => {
  const data = [0x40, 0x00, 0xc0, 0x00, 0xff, 0xff, 0xf2, 0xa0, 0x00, 0x83, 0xff, 0x7d, 0xc0, 0x01];

  test.each([
    [2, 250, 9.80665, -0.0006, 1, -125.0611],
    [4, 500, 19.6133, -0.0012, 2, -250.1221],
    [8, 1000, 39.2266, -0.00239, 3.9939, -499.4817],
    [16, 2000, 78.4532, -0.00479, 7.9878, -998.9634],
  ])("at %i g and %i °/s", async (acceleration_range, rotation_range, x, z, rotationX, rotationZ) => {
    const chip = bytesChip({ 59: data, 117: [0x68] });
    const { values, quality } = await readingOf(mpu6050, { acceleration_range, rotation_range }, chip);
    expect(values).toEqual({
      acceleration_x: expect.closeTo(x, 4),
      acceleration_y: expect.closeTo(-x, 4),
      acceleration_z: expect.closeTo(z, 4),
      rotation_x: expect.closeTo(rotationX, 3),
      rotation_y: expect.closeTo(-rotationX, 3),
      rotation_z: expect.closeTo(rotationZ, 3),
      temperature: expect.closeTo(26.4594, 3),
    });
    expect(quality).toBeUndefined();
  });

  test.each([
    [0x68, "MPU6050", 46.1065],
    [0x70, "MPU6500", 30.7515],
    [0x71, "MPU9250", 30.7515],
    [0x73, "MPU9255", 30.7515],
    [0x74, "MPU6515", 30.7515],
  ])("%i is a %s, with its own law of temperature, as in the kernel's inv_mpu6050", async (id, model, celsius) => {
    const warm = data.with(6, 0x0c).with(7, 0xb8);
    const { sensor, letPass } = await opened(mpu6050, {}, bytesChip({ 59: warm, 117: [id] }));
    expect(sensor.model).toBe(model);
    expect((await letPass(sensor.read(never))).values.temperature).toBeCloseTo(celsius, 2);
  });

  test("an MPU9250, which is awake after a brown-out (RM-MPU-9250A, §3), gets its ranges back", async () => {
    const { hardware, sensor, letPass } = await opened(mpu6050, {}, bytesChip({ 59: data, 117: [0x71] }));
    const reset = bytesChip({ 59: data, 117: [0x71] });
    reset.registers[0x6b] = 0x01;
    (await hardware.i2c("sim")).plug(0x68, reset);
    const { values } = await letPass(sensor.read(never));
    expect([...reset.registers.subarray(0x1a, 0x1d)]).toEqual([0x03, 0x08, 0x08]);
    expect(values.acceleration_x).toBeCloseTo(19.6133, 4);
  });
});

describe("adxl345, at full resolution 3.9 mg a step in every range (rev. G, table 1)", () => {
  test.each([
    [2, 0x08, [0x00, 0x01, 0x00, 0xff, 0x01, 0x00], 9.79096, -9.79096, 0.03825, undefined],
    [
      16,
      0x0b,
      [0xff, 0x0f, 0x00, 0xf0, 0xff, 0xff],
      156.6171,
      -156.65535,
      -0.03825,
      ["acceleration_x", "acceleration_y"],
    ],
    [4, 0x09, [0xff, 0x01, 0x01, 0xfe, 0x00, 0x00], 19.54367, -19.54367, 0, undefined],
    [8, 0x0a, [0x00, 0x02, 0x00, 0xfe, 0xff, 0x07], 19.58191, -19.58191, 78.28943, ["acceleration_z"]],
  ])("at %i g", async (range, format, bytes, x, y, z, saturated) => {
    const chip = bytesChip({ 0: [0xe5], 50: bytes });
    chip.registers[0x38] = 0x80;
    const { values, quality } = await readingOf(adxl345, { range }, chip);
    expect([chip.registers[0x31], chip.registers[0x38]]).toEqual([format, 0x00]);
    expect(values.acceleration_x).toBeCloseTo(x, 4);
    expect(values.acceleration_y).toBeCloseTo(y, 4);
    expect(values.acceleration_z).toBeCloseTo(z, 4);
    expect(quality && Object.keys(quality)).toEqual(saturated);
  });
});

describe("amg8833, by the tables of Panasonic's specification", () => {
  test.each([
    [0x1f4, 125, 0x7d0, 125],
    [0x064, 25, 0x190, 25],
    [0x001, 0.25, 0x004, 0.25],
    [0xfff, -0.25, 0x804, -0.25],
    [0xf9c, -25, 0x940, -20],
    [0xf24, -55, 0x000, 0],
  ])("a pixel of %i is %d °C, a thermistor of %i is %d °C", async (pixel, celsius, thermistor, own) => {
    const picture = Array.from({ length: 64 }, () => [pixel & 0xff, pixel >> 8]).flat();
    const chip = bytesChip({ 14: [thermistor & 0xff, thermistor >> 8], 128: picture });
    expect(await readingOf(amg8833, {}, chip)).toEqual({
      values: { maximum: celsius, minimum: celsius, mean: celsius, temperature: own },
    });
  });
});

describe("as5600, 4096 steps a turn (v1-06, figures 21 and 23)", () => {
  const chipWith = (status: number, raw: number, angle: number) =>
    bytesChip({ 11: [status, raw >> 8, raw & 0xff, angle >> 8, angle & 0xff] });

  test.each([
    [0x000, 0x001, 0, 0.087890625],
    [0x400, 0x800, 90, 180],
    [0xfff, 0x3ff, 359.912109375, 89.912109375],
  ])("%i and %i", async (raw, angle, rawDegrees, degrees) => {
    expect(await readingOf(as5600, {}, chipWith(0x20, raw, angle))).toEqual({
      values: { angle: degrees, raw_angle: rawDegrees },
    });
  });

  test.each([0x30, 0x28])("at the end of its gain (%i) an angle is estimated", async (status) => {
    const { quality } = await readingOf(as5600, {}, chipWith(status, 1, 1));
    expect(quality).toEqual({ angle: "estimated", raw_angle: "estimated" });
  });

  test.each([0x00, 0x10, 0x08])("without a magnet (%i) there is none", async (status) => {
    await expect(readingOf(as5600, {}, chipWith(status, 1, 1))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });
});
