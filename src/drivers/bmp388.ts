import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver, sampleOf } from "./driver.ts";
import { ensureBits, expectId, littleEndian, readByte } from "./registers.ts";

/** Registers (BST-BMP388-DS001 v1.7, §4). */
const REGISTER = {
  id: 0x00,
  error: 0x02,
  status: 0x03,
  data: 0x04,
  power: 0x1b,
  oversampling: 0x1c,
  filter: 0x1f,
  trimming: 0x31,
  command: 0x7e,
} as const;
const TRIMMING_LENGTH = 21;
const DATA_LENGTH = 6;
const RESET_COMMAND = 0xb6;
const RESET_MS = 5;
/** Pressure and temperature, once. */
const FORCED = 0x13;
const CONFIGURATION_ERROR = 0x04;
const BOTH_READY = 0x60;
/** What a data register shows after a reset. */
const NO_DATA = 0x800000;

const OVERSAMPLING_CODE = { 1: 0, 2: 1, 4: 2, 8: 3, 16: 4, 32: 5 } as const;
const FILTER_CODE = { off: 0, 1: 1, 3: 2, 7: 3, 15: 4, 31: 5, 63: 6, 127: 7 } as const;
const FILTER_BITS = 0b0000_111_0;
const MODEL_OF_ID: Readonly<Record<number, string>> = { 80: "BMP388", 96: "BMP390" };
const POLLS = 5;
const POLL_MS = 5;

export const bmp388 = i2cDriver({
  name: "bmp388",
  aliases: ["bmp384", "bmp390"],
  title: "Bosch BMP384, BMP388 and BMP390: pressure and temperature",
  manufacturer: "Bosch Sensortec",
  model: "BMP388",
  addresses: [0x76, 0x77],
  options: {
    oversampling: z
      .literal([1, 2, 4, 8, 16, 32])
      .default(4)
      .describe("Samples averaged in one measurement: the more, the less noise"),
    filter: z
      .literal(["off", 1, 3, 7, 15, 31, 63, 127])
      .default("off")
      .describe("Smooths over this many readings, in the chip"),
  },
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 85 },
    pressure: { quantity: "pressure", min: 300, max: 1250 },
  },
  noisy: ["temperature", "pressure"],
  timing: { minIntervalMs: 200, expectedMs: 180 },

  async identify(chip) {
    const id = await expectId(chip, "BMP388 or BMP390", REGISTER.id, [0x50, 0x60]);
    return { model: MODEL_OF_ID[id] ?? "BMP388" };
  },

  async open(chip, { oversampling, filter }, context) {
    await chip.writeRegister(REGISTER.command, RESET_COMMAND);
    await context.clock.sleep(RESET_MS);
    const trimming = decodeTrimming(await chip.readRegister(REGISTER.trimming, TRIMMING_LENGTH));
    const code = OVERSAMPLING_CODE[oversampling];
    return {
      async read(signal) {
        // All of them each time: what a brown-out erased is back with the next read.
        await chip.writeRegister(REGISTER.oversampling, (code << 3) | code);
        // Left in peace where it is right: a filter whose register is written starts anew, as in Bosch's BME280.
        await ensureBits(chip, REGISTER.filter, FILTER_BITS, FILTER_CODE[filter] << 1);
        await chip.writeRegister(REGISTER.power, FORCED);
        await context.clock.sleep(measurementMs(oversampling), signal);
        await untilReady(chip, context, signal);
        return { values: decode(await chip.readRegister(REGISTER.data, DATA_LENGTH), trimming) };
      },
    };
  },
});

/** §3.9.2 gives the typical time; the longest is some 15 % more (Linux' bmp280-core.c, after §3.9.1). */
function measurementMs(oversampling: number): number {
  return ((234 + 392 + 163 + 2 * 2020 * oversampling) / 1000) * 1.16;
}

async function untilReady(chip: I2cDevice, { clock }: DriverContext, signal: AbortSignal): Promise<void> {
  for (let poll = 0; poll < POLLS; poll++) {
    if (((await readByte(chip, REGISTER.status)) & BOTH_READY) === BOTH_READY) return;
    await clock.sleep(POLL_MS, signal);
  }
  const error = await readByte(chip, REGISTER.error);
  if ((error & CONFIGURATION_ERROR) !== 0) throw new GatewayError("BAD_VALUE", "the chip refuses its configuration");
  throw new GatewayError("NOT_READY", `no new data ${POLLS * POLL_MS} ms after the longest time`);
}

export interface Trimming388 {
  readonly T: readonly [number, number, number];
  readonly P: readonly number[];
}

/** 0x31 to 0x45, scaled to floating point (§8.4). Throws BAD_VALUE where they cannot be trimming values. */
export function decodeTrimming(bytes: Uint8Array): Trimming388 {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [T1, T2] = [view.getUint16(0, true), view.getUint16(2, true)];
  if (T1 === 0 || T1 === 0xffff) throw new GatewayError("BAD_VALUE", `the chip has no trimming values: T1 is ${T1}`);
  return {
    T: [T1 * 2 ** 8, T2 / 2 ** 30, view.getInt8(4) / 2 ** 48],
    P: [
      (view.getInt16(5, true) - 2 ** 14) / 2 ** 20,
      (view.getInt16(7, true) - 2 ** 14) / 2 ** 29,
      view.getInt8(9) / 2 ** 32,
      view.getInt8(10) / 2 ** 37,
      view.getUint16(11, true) * 2 ** 3,
      view.getUint16(13, true) / 2 ** 6,
      view.getInt8(15) / 2 ** 8,
      view.getInt8(16) / 2 ** 15,
      view.getInt16(17, true) / 2 ** 48,
      view.getInt8(19) / 2 ** 48,
      view.getInt8(20) / 2 ** 65,
    ],
  };
}

/** 0x04 to 0x09: pressure, temperature, least significant byte first (§4.3.4). Throws BAD_VALUE. */
export function decode(data: Uint8Array, { T: [T1, T2, T3], P }: Trimming388): Values {
  const pressure = littleEndian(data.subarray(0, 3));
  const code = littleEndian(data.subarray(3, 6));
  if (code === NO_DATA) throw new GatewayError("BAD_VALUE", "the chip has no temperature to show: it was reset");
  const centred = code - T1;
  const temperature = centred * T2 + centred * centred * T3;
  if (temperature < -40 || temperature > 85) {
    throw new GatewayError("BAD_VALUE", `temperature code ${code} would be ${temperature.toFixed(1)} °C`);
  }
  const hectopascal = pressure === NO_DATA ? undefined : pascal(pressure, temperature, P) / 100;
  return sampleOf({ temperature, pressure: hectopascal }).values;
}

/** §8.6. */
function pascal(code: number, t: number, P: readonly number[]): number {
  const [P1 = 0, P2 = 0, P3 = 0, P4 = 0, P5 = 0, P6 = 0, P7 = 0, P8 = 0, P9 = 0, P10 = 0, P11 = 0] = P;
  const offset = P5 + P6 * t + P7 * t ** 2 + P8 * t ** 3;
  const slope = P1 + P2 * t + P3 * t ** 2 + P4 * t ** 3;
  return offset + code * slope + code ** 2 * (P9 + P10 * t) + code ** 3 * P11;
}
