import { z } from "zod";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { bigEndian, hex, mismatch, readByte, signed } from "./registers.ts";

/** Registers (InvenSense RM-MPU-6000A rev. 4.2). */
/** Low pass, gyroscope's and accelerometer's range: one after the other. */
const SETTINGS = 0x1a;
const DATA = 0x3b;
const POWER = 0x6b;
const WHO_AM_I = 0x75;
const DEVICE_RESET = 0x80;
const RESET_MS = 100;
/** Awake, with the gyroscope's clock, as recommended (§4.28). An MPU9250 is so after power-on; an MPU6050 is at 0x40, asleep. */
const AWAKE = 0x01;
/** 44 Hz for the accelerometer, 42 Hz for the gyroscope. */
const LOW_PASS = 0x03;
/** The gyroscope's start-up (PS-MPU-6000A, §6.1), typically. */
const STARTUP_MS = 50;

const ACCEL_RANGE_CODE = { 2: 0, 4: 1, 8: 2, 16: 3 } as const;
const GYRO_RANGE_CODE = { 250: 0, 500: 1, 1000: 2, 2000: 3 } as const;
/** Steps a °/s as the datasheet rounds them. */
const GYRO_STEPS = { 250: 131, 500: 65.5, 1000: 32.8, 2000: 16.4 } as const;
const STANDARD_GRAVITY = 9.80665;

const MODEL_OF_ID: Readonly<Record<number, string>> = {
  104: "MPU6050",
  112: "MPU6500",
  113: "MPU9250",
  115: "MPU9255",
  116: "MPU6515",
  152: "MPU6050 (clone)",
};

export const mpu6050 = i2cDriver({
  name: "mpu6050",
  aliases: ["mpu6000", "mpu6500", "mpu9250"],
  title: "InvenSense MPU6050, MPU6500 and MPU9250: acceleration, rotation and temperature",
  manufacturer: "InvenSense",
  model: "MPU6050",
  addresses: [0x68, 0x69],
  options: {
    acceleration_range: z.literal([2, 4, 8, 16]).default(4).describe("Full scale in g, plus and minus"),
    rotation_range: z.literal([250, 500, 1000, 2000]).default(500).describe("Full scale in °/s, plus and minus"),
  },
  channels: {
    acceleration_x: { quantity: "acceleration", title: "Acceleration X", min: -160, max: 160 },
    acceleration_y: { quantity: "acceleration", title: "Acceleration Y", min: -160, max: 160 },
    acceleration_z: { quantity: "acceleration", title: "Acceleration Z", min: -160, max: 160 },
    rotation_x: { quantity: "angular_velocity", title: "Rotation X", min: -2000, max: 2000 },
    rotation_y: { quantity: "angular_velocity", title: "Rotation Y", min: -2000, max: 2000 },
    rotation_z: { quantity: "angular_velocity", title: "Rotation Z", min: -2000, max: 2000 },
    temperature: { quantity: "temperature", title: "Chip temperature", min: -40, max: 105, diagnostic: true },
  },
  timing: { minIntervalMs: 20, expectedMs: 20, deadlineMs: 2000 },
  notes: "One look at each reading: what happens in between is not seen. The MPU9250's magnetometer is not read.",

  async identify(chip) {
    const id = await readByte(chip, WHO_AM_I);
    const model = MODEL_OF_ID[id];
    if (!model) throw mismatch(chip, "MPU6050", `it says that it is ${hex(id)}`);
    return { model };
  },

  async open(chip, { acceleration_range: accelRange, rotation_range: gyroRange }, { clock }) {
    const is6050 = [0x68, 0x98].includes(await readByte(chip, WHO_AM_I));
    const settings = [LOW_PASS, GYRO_RANGE_CODE[gyroRange] << 3, ACCEL_RANGE_CODE[accelRange] << 3];
    const configure = async (signal?: AbortSignal) => {
      await chip.writeRegister(POWER, DEVICE_RESET);
      await clock.sleep(RESET_MS, signal);
      await chip.writeRegister(POWER, AWAKE);
      for (const [index, setting] of settings.entries()) await chip.writeRegister(SETTINGS + index, setting);
      await clock.sleep(STARTUP_MS, signal);
    };
    // Reset, an MPU6050 sleeps and shows zeros; an MPU9250 is awake, with ranges that are not ours (RM-MPU-9250A, §3).
    const isConfigured = async () => {
      if ((await readByte(chip, POWER)) !== AWAKE) return false;
      const held = await chip.readRegister(SETTINGS, settings.length);
      return settings.every((setting, index) => held[index] === setting);
    };
    await configure();
    return {
      async read(signal) {
        if (!(await isConfigured())) await configure(signal);
        return decode(await chip.readRegister(DATA, 14), { accelRange, gyroRange, is6050 });
      },
    };
  },
});

export interface MpuScale {
  readonly accelRange: keyof typeof ACCEL_RANGE_CODE;
  readonly gyroRange: keyof typeof GYRO_RANGE_CODE;
  readonly is6050: boolean;
}

/** Acceleration, temperature, rotation: seven words (§4.17 to §4.19). */
export function decode(bytes: Uint8Array, { accelRange, gyroRange, is6050 }: MpuScale): Sample {
  const codes = Array.from({ length: 7 }, (_, index) => signed(bigEndian(bytes.subarray(2 * index, 2 * index + 2))));
  const scales: readonly (readonly [key: string, code: number, value: (code: number) => number])[] = [
    ...["x", "y", "z"].map((axis, at) => {
      const value = (code: number) => ((code * accelRange) / 32768) * STANDARD_GRAVITY;
      return [`acceleration_${axis}`, codes[at] ?? 0, value] as const;
    }),
    ...["x", "y", "z"].map((axis, at) => {
      return [`rotation_${axis}`, codes[at + 4] ?? 0, (code: number) => code / GYRO_STEPS[gyroRange]] as const;
    }),
  ];
  const temperature = celsius(codes[3] ?? 0, is6050);
  const values = { ...Object.fromEntries(scales.map(([key, code, value]) => [key, value(code)])), temperature };
  const saturated = scales.filter(([, code]) => code === 0x7fff || code === -0x8000);
  if (saturated.length === 0) return { values };
  return { values, quality: Object.fromEntries(saturated.map(([key]) => [key, "saturated" as const])) };
}

/** §4.18; the MPU6500 and MPU9250 have another law (RM-MPU-6500A, §4.22). */
export function celsius(code: number, is6050: boolean): number {
  return is6050 ? code / 340 + 36.53 : code / 333.87 + 21;
}
