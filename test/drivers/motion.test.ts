import { describe, expect, test } from "vitest";
import { adxl345, decode as decodeAdxl345 } from "../../src/drivers/adxl345.ts";
import { decode as decodeAmg8833, pixel, thermistor } from "../../src/drivers/amg8833.ts";
import { as5600, decode as decodeAs5600 } from "../../src/drivers/as5600.ts";
import { decode as decodeDs3231, ds3231 } from "../../src/drivers/ds3231.ts";
import { decode as decodeMax17048, max17048 } from "../../src/drivers/max17048.ts";
import { checkedWord, decode as decodeMlx90614, mlx90614 } from "../../src/drivers/mlx90614.ts";
import { decode as decodeMpu6050, mpu6050, celsius as mpuCelsius } from "../../src/drivers/mpu6050.ts";
import { adxl345Chip } from "../../src/hardware/simulated/chips/adxl345.ts";
import { as5600Chip } from "../../src/hardware/simulated/chips/as5600.ts";
import { ds3231Chip } from "../../src/hardware/simulated/chips/ds3231.ts";
import { max17048Chip } from "../../src/hardware/simulated/chips/max17048.ts";
import { mpu6050Chip } from "../../src/hardware/simulated/chips/mpu6050.ts";
import { byteRegisterChip } from "../../src/hardware/simulated/chips/registers.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;

describe("ds3231", () => {
  test.each(vectorsOf("ds3231"))("decodes $input.regs", ({ input, expect: expected }) => {
    const [whole = 0, fraction = 0] = bytes(input.regs);
    expect(decodeDs3231(whole, fraction)).toBe(expected.temperatureC);
  });

  test("does not give the 0 °C that it shows before its first conversion after a power cut", async () => {
    const { clock, hardware, open, letPass } = bench(ds3231);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x68, ds3231Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.temperature).toBeGreaterThan(10);
  });

  test("is told from an MPU6050 that is awake", async () => {
    const { hardware, open, letPass } = bench(ds3231);
    (await hardware.i2c("sim")).plug(0x68, byteRegisterChip({ registers: new Uint8Array(256).fill(0x55) }));
    await expect(letPass(open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});

describe("mlx90614", () => {
  test.each(vectorsOf("mlx90614"))("checks and decodes $input", ({ input, expect: expected }) => {
    const word = checkedWord(Number(input.addr), Number(input.cmd), bytes(input.bytes));
    expect(decodeMlx90614(word)).toBeCloseTo(expected.temperatureC, 6);
    const bad = bytes(input.bytes).map((byte, index) => (index === 0 ? byte ^ 1 : byte));
    expect(() => checkedWord(Number(input.addr), Number(input.cmd), bad)).toThrow(
      expect.objectContaining({ code: "CHECKSUM" }),
    );
  });

  test("refuses a word with the error flag", () => {
    expect(() => decodeMlx90614(0x8000)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("reads the second zone where it has one", async () => {
    const { open, letPass } = bench(mlx90614, { dual_zone: "on" });
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values).toHaveProperty("object_2_temperature");
  });
});

describe("amg8833", () => {
  const [pixels, thermistors] = vectorsOf("amg8833");

  test("decodes pixels in two's complement, the thermistor by sign and magnitude", () => {
    expect(pixels!.input.pixel.map((word: string) => pixel(Number(word)))).toEqual(pixels!.expect.temperatureC);
    expect(thermistors!.input.thermistor.map((word: string) => thermistor(Number(word)))).toEqual(
      thermistors!.expect.temperatureC,
    );
  });

  test("gives the warmest, the coldest and the mean, and no 0 °C before the first picture", () => {
    const picture = new Uint8Array(128);
    for (let at = 0; at < 128; at += 2) picture[at] = 80;
    picture[10] = 120;
    picture.set([0xf8, 0x0f], 20);
    expect(decodeAmg8833(picture)).toEqual({ maximum: 30, minimum: -2, mean: (62 * 20 + 30 - 2) / 64 });
    expect(() => decodeAmg8833(new Uint8Array(128))).toThrow(expect.objectContaining({ code: "NOT_READY" }));
  });
});

describe("as5600", () => {
  test("decodes 12 bits of a turn", () => {
    const [{ input, expect: expected }] = vectorsOf("as5600") as [ReturnType<typeof vectorsOf>[number]];
    const word = Number(input.raw);
    expect(decodeAs5600(Uint8Array.of(word >> 8, word & 0xff))).toBe(expected.deg);
    expect(decodeAs5600(Uint8Array.of(0x0f, 0xff))).toBeCloseTo(359.912, 3);
  });

  test("has no value without a magnet", async () => {
    const { hardware, open, letPass } = bench(as5600);
    const registers = new Uint8Array(256);
    registers[0x0b] = 0x10;
    (await hardware.i2c("sim")).plug(0x36, byteRegisterChip({ registers }));
    const sensor = await letPass(open());
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });
});

describe("max17048", () => {
  test("decodes volts, per cent and per cent an hour", () => {
    const [{ input, expect: expected }] = vectorsOf("max17048") as [ReturnType<typeof vectorsOf>[number]];
    const values = decodeMax17048(Number(input.vcell), 0x5a80, 0xfff6);
    expect(values.voltage).toBeCloseTo(expected.V, 9);
    expect(values.battery).toBe(90.5);
    expect(values.charge_rate).toBeCloseTo(-2.08, 9);
    expect(decodeMax17048(0, 0x6580, 0).battery).toBe(100);
  });

  test("does not give the 0 % that it shows after a reset", async () => {
    const { clock, hardware, open, letPass } = bench(max17048);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x36, max17048Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.battery).toBeGreaterThan(10);
  });

  test("is told from an AS5600 at the same address, and the other way round", async () => {
    const battery = bench(max17048);
    (await battery.hardware.i2c("sim")).plug(0x36, as5600Chip(simulatedWorld(battery.clock)));
    await expect(battery.letPass(battery.open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
    const angle = bench(as5600);
    (await angle.hardware.i2c("sim")).plug(0x36, max17048Chip(simulatedWorld(angle.clock)));
    await expect(angle.letPass(angle.open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});

describe("adxl345", () => {
  test("decodes 3.9 mg a step, in both directions", () => {
    const [{ input, expect: expected }] = vectorsOf("adxl345") as [ReturnType<typeof vectorsOf>[number]];
    const { values } = decodeAdxl345(Uint8Array.of(input.raw & 0xff, input.raw >> 8, 0x00, 0xff, 0, 0), 16);
    expect(values.acceleration_x).toBeCloseTo(expected.ms2, 3);
    expect(values.acceleration_y).toBeCloseTo(-expected.ms2, 3);
    expect(values.acceleration_z).toBe(0);
  });

  test("is saturated at the end of its range", () => {
    expect(decodeAdxl345(Uint8Array.of(0xff, 0x01, 0x00, 0xfe, 0xfe, 0x01), 2).quality).toEqual({
      acceleration_x: "saturated",
      acceleration_y: "saturated",
    });
  });

  test("is set to measure again after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(adxl345);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x53, adxl345Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.acceleration_z).toBeGreaterThan(9);
  });
});

describe("mpu6050", () => {
  test("decodes its temperature, and that of an MPU6500", () => {
    const [{ input, expect: expected }] = vectorsOf("mpu6050") as [ReturnType<typeof vectorsOf>[number]];
    const code = (Number(input.tempRaw) << 16) >> 16;
    expect(mpuCelsius(code, true)).toBeCloseTo(expected.temperatureC, 2);
    expect(mpuCelsius(3339, false)).toBeCloseTo(31, 1);
  });

  test("scales by its ranges, and is saturated at their ends", () => {
    const data = Uint8Array.of(0x40, 0, 0xc0, 0, 0x7f, 0xff, 0, 0, 0x00, 0x83, 0xff, 0x7d, 0x80, 0);
    const { values, quality } = decodeMpu6050(data, { accelRange: 2, gyroRange: 250, is6050: true });
    expect(values).toMatchObject({
      acceleration_x: expect.closeTo(9.80665, 5),
      acceleration_y: expect.closeTo(-9.80665, 5),
      rotation_x: 1,
      rotation_y: -1,
      temperature: 36.53,
    });
    expect(quality).toEqual({ acceleration_z: "saturated", rotation_z: "saturated" });
  });

  test.each([2, 16])("wakes after a brown-out, with its range of %i g", async (acceleration_range) => {
    const { clock, hardware, open, letPass } = bench(mpu6050, { acceleration_range });
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x68, mpu6050Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.acceleration_z).toBeCloseTo(9.807, 2);
  });
});
