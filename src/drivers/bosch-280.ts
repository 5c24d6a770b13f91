import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import type { DriverContext, Identity } from "./driver.ts";
import { ensureBits } from "./registers.ts";

/**
 * What BMP280 and BME280 have in common. Sections are those of BST-BMP280-DS001 v1.14 (BMP280) and BST-BME280-DS002
 * v1.6 (BME280); the formulas are the double precision ones of §8.1 in both.
 */

export const REGISTER = {
  trimming: 0x88,
  trimmingH1: 0xa1,
  trimmingH2: 0xe1,
  id: 0xd0,
  reset: 0xe0,
  ctrlHum: 0xf2,
  status: 0xf3,
  ctrlMeas: 0xf4,
  config: 0xf5,
  data: 0xf7,
} as const;

export const TRIMMING_LENGTH = 24;

/** BMP280 §4.3.4, BME280 §5.4.5: one measurement, then back to sleep. */
export const FORCED_MODE = 0b01;

const STATUS_MEASURING = 0b1000;
const STATUS_COPYING_TRIMMING = 0b0001;

/** Who else can be found at 0x76 and 0x77 with an id register at 0xD0. */
const CHIP_BY_ID: ReadonlyMap<number, string> = new Map([
  [0x55, "a BMP180"],
  [0x56, "a BMP280 (engineering sample)"],
  [0x57, "a BMP280 (engineering sample)"],
  [0x58, "a BMP280"],
  [0x60, "a BME280"],
  [0x61, "a BME680 or BME688"],
]);

/** Samples averaged in one measurement -> code of osrs_t, osrs_p and osrs_h (BME280 §5.4.3, tables 20, 23, 24). */
const OVERSAMPLING_CODE = { 1: 1, 2: 2, 4: 3, 8: 4, 16: 5 } as const;
/** Samples that the IIR filter remembers -> its code (BME280 §5.4.6, table 28). */
const FILTER_CODE = { off: 0, 2: 1, 4: 2, 8: 3, 16: 4 } as const;

export type Oversampling = keyof typeof OVERSAMPLING_CODE;
export type Filter = keyof typeof FILTER_CODE;

export const bosch280Options = {
  oversampling: z
    .literal([1, 2, 4, 8, 16])
    .default(1)
    .describe("Samples averaged in one measurement: the more, the less noise and the more self-heating"),
  filter: z
    .literal(["off", 2, 4, 8, 16])
    .default("off")
    .describe("Smooths temperature and pressure over this many readings, in the chip"),
};

export function oversamplingCode(oversampling: Oversampling): number {
  return OVERSAMPLING_CODE[oversampling];
}

const FILTER_BITS = 0b000_111_00;

/**
 * The filter in the config register (BME280 §5.4.6); the stand-by time means nothing in forced mode. Not written again
 * before each measurement: whenever it is written, the filter forgets, and the next value passes unchanged (BMP280 §3.3.3,
 * BME280 §3.4.4).
 */
export async function ensureFilter(chip: I2cDevice, filter: Filter): Promise<void> {
  await ensureBits(chip, REGISTER.config, FILTER_BITS, FILTER_CODE[filter] << 2);
}

/** The ctrl_meas register (BME280 §5.4.5) that starts one measurement. */
export function forcedMeasurement(oversampling: Oversampling): number {
  const code = oversamplingCode(oversampling);
  return (code << 5) | (code << 2) | FORCED_MODE;
}

/** The longest time that a measurement of `quantities` takes (BMP280 §3.8.1, BME280 §9.1). */
export function measurementMs(oversampling: Oversampling, quantities: 2 | 3): number {
  return 1.25 + quantities * 2.3 * oversampling + (quantities - 1) * 0.575;
}

/** Compares the id register; CHIP_MISMATCH names the chip that answers instead. */
export async function identify280(chip: I2cDevice, wanted: string, ids: readonly number[]): Promise<Identity> {
  const [id = 0] = await chip.readRegister(REGISTER.id, 1);
  if (ids.includes(id)) return {};
  const found = CHIP_BY_ID.get(id) ?? "unknown";
  const where = `0x${chip.address.toString(16)} on ${chip.busName}`;
  throw new GatewayError("CHIP_MISMATCH", `the chip at ${where} is not a ${wanted}: id 0x${hex2(id)} is ${found}`);
}

function hex2(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

const IDLE_POLLS = 5;
const IDLE_POLL_MS = 2;

/** Waits while the chip copies its trimming values after power-on (2 ms), or still measures. Throws NOT_READY. */
export async function untilIdle(chip: I2cDevice, { clock }: DriverContext, signal?: AbortSignal): Promise<void> {
  for (let poll = 0; poll < IDLE_POLLS; poll++) {
    const [status = 0] = await chip.readRegister(REGISTER.status, 1);
    if ((status & (STATUS_MEASURING | STATUS_COPYING_TRIMMING)) === 0) return;
    await clock.sleep(IDLE_POLL_MS, signal);
  }
  throw new GatewayError("NOT_READY", `status is still busy ${IDLE_POLLS * IDLE_POLL_MS} ms after the longest time`);
}

const RESET_COMMAND = 0xb6;
/** Start-up time (BMP280 §1, BME280 §1.1). */
const STARTUP_MS = 2;

/**
 * As after power-on, ready to be read and written. A program before us may have left the chip in normal mode, in which it
 * measures almost without pause, and ignores what is written to `config` (BME280 §5.4.6).
 */
export async function reset(chip: I2cDevice, context: DriverContext): Promise<void> {
  await chip.writeRegister(REGISTER.reset, RESET_COMMAND);
  await context.clock.sleep(STARTUP_MS);
  await untilIdle(chip, context);
}

/**
 * One register a write. The chip takes register and value in pairs too (§6.2.1), but its clones and models of it need
 * not: a plain register file counts on and would overwrite the data registers.
 */
export async function writeEach(chip: I2cDevice, settings: readonly (readonly [number, number])[]): Promise<void> {
  for (const [register, value] of settings) await chip.writeRegister(register, value);
}

/** Trimming values of temperature and pressure, by the datasheets' names without `dig_`. */
export interface Trimming {
  readonly T: readonly [number, number, number];
  readonly P: readonly [number, number, number, number, number, number, number, number, number];
}

/**
 * 0x88 to 0x9F, little-endian (BMP280 §3.11.2, BME280 §4.2.2): T1 and P1 unsigned, the others signed. BAD_VALUE where
 * they cannot be trimming values: the formulas would divide by zero.
 */
export function decodeTrimming(bytes: Uint8Array): Trimming {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const unsigned = (index: number) => view.getUint16(2 * index, true);
  const signed = (index: number) => view.getInt16(2 * index, true);
  const [T1, P1] = [unsigned(0), unsigned(3)];
  if (T1 === 0 || P1 === 0 || (T1 === 0xffff && P1 === 0xffff)) {
    throw new GatewayError("BAD_VALUE", `the chip has no trimming values: T1 is ${T1}, P1 is ${P1}`);
  }
  return {
    T: [T1, signed(1), signed(2)],
    P: [P1, signed(4), signed(5), signed(6), signed(7), signed(8), signed(9), signed(10), signed(11)],
  };
}

/** What a skipped measurement, and every data register after a reset, reads as (BME280 §5.3, §5.4.3). */
const NO_DATA_20_BIT = 0x80000;

/** A 20-bit code: bits 19..12, 11..4, 3..0 in the upper half (BMP280 §4.3.6); `undefined` where nothing was measured. */
export function decode20(bytes: Uint8Array): number | undefined {
  const [msb = 0, lsb = 0, xlsb = 0] = bytes;
  const code = (msb << 12) | (lsb << 4) | (xlsb >> 4);
  return code === NO_DATA_20_BIT ? undefined : code;
}

/** What the chip can measure (BMP280 §1, BME280 §1.1); beyond, the bytes were not a measurement. */
const OPERATING_C = { min: -40, max: 85 } as const;

/**
 * `t_fine`, the temperature at full resolution that the other formulas want (BMP280 §8.1, BME280 §8.1). Throws BAD_VALUE
 * where there is no code or an impossible one: nothing else can be computed then, and humidity is cut to look possible.
 */
export function fineTemperature(code: number | undefined, { T: [T1, T2, T3] }: Pick<Trimming, "T">): number {
  if (code === undefined) throw new GatewayError("BAD_VALUE", "the chip has no temperature to show: it was reset");
  const linear = (code / 16384 - T1 / 1024) * T2;
  const square = (code / 131072 - T1 / 8192) ** 2 * T3;
  const temperatureC = celsius(linear + square);
  if (temperatureC < OPERATING_C.min || temperatureC > OPERATING_C.max) {
    throw new GatewayError("BAD_VALUE", `temperature code ${code} would be ${temperatureC.toFixed(1)} °C`);
  }
  return linear + square;
}

export function celsius(fine: number): number {
  return fine / 5120;
}

/** Pressure (BMP280 §8.1, BME280 §8.1), in hPa. */
export function hectopascal(code: number, fine: number, { P: [P1, P2, P3, P4, P5, P6, P7, P8, P9] }: Trimming): number {
  const centred = fine / 2 - 64000;
  const offset = (centred * centred * P6) / 32768 / 4 + (centred * P5) / 2 + P4 * 65536;
  const slope = (1 + ((P3 * centred * centred) / 524288 + P2 * centred) / 524288 / 32768) * P1;
  const raw = ((1048576 - code - offset / 4096) * 6250) / slope;
  return (raw + ((P9 * raw * raw) / 2147483648 + (raw * P8) / 32768 + P7) / 16) / 100;
}
