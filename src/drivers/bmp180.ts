import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver } from "./driver.ts";
import { bigEndian, expectId, readByte } from "./registers.ts";

/** Registers and commands (BST-BMP180-DS000 v2.5, §4). */
const CALIBRATION = 0xaa;
const CALIBRATION_LENGTH = 22;
const ID = 0xd0;
const CONTROL = 0xf4;
const DATA = 0xf6;
const MEASURE_TEMPERATURE = { command: 0x2e, waitMs: 4.5, length: 2 };
const MEASURE_PRESSURE = 0x34;
/** `sco` in the control register: 1 until the conversion is complete. */
const CONVERTING = 0x20;
const POLLS = 5;
const POLL_MS = 2;

/** Samples averaged -> the setting `oss` and the longest conversion (§3.3.1, table 3). */
const OVERSAMPLING = {
  1: { oss: 0, waitMs: 4.5 },
  2: { oss: 1, waitMs: 7.5 },
  4: { oss: 2, waitMs: 13.5 },
  8: { oss: 3, waitMs: 25.5 },
} as const;

export const bmp180 = i2cDriver({
  name: "bmp180",
  aliases: ["bmp085"],
  title: "Bosch BMP180 and BMP085: pressure and temperature",
  manufacturer: "Bosch Sensortec",
  model: "BMP180",
  addresses: [0x77],
  options: {
    oversampling: z
      .literal([1, 2, 4, 8])
      .default(4)
      .describe("Samples of pressure averaged in one measurement: the more, the less noise"),
  },
  channels: {
    temperature: { quantity: "temperature", decimals: 1, min: -40, max: 85 },
    pressure: { quantity: "pressure", min: 300, max: 1100 },
  },
  noisy: ["pressure"],
  timing: { minIntervalMs: 200, expectedMs: 100 },

  async identify(chip) {
    await expectId(chip, "BMP180", ID, [0x55]);
    return {};
  },

  async open(chip, { oversampling }, context) {
    const calibration = decodeCalibration(await chip.readRegister(CALIBRATION, CALIBRATION_LENGTH));
    const { oss, waitMs } = OVERSAMPLING[oversampling];
    const measurePressure = { command: MEASURE_PRESSURE | (oss << 6), waitMs, length: 3 };
    return {
      async read(signal) {
        const temperature = await convert(chip, MEASURE_TEMPERATURE, context, signal);
        const pressure = await convert(chip, measurePressure, context, signal);
        return { values: decode(temperature, pressure >> (8 - oss), oss, calibration) };
      },
    };
  },
});

interface Conversion {
  readonly command: number;
  readonly waitMs: number;
  readonly length: number;
}

/** Throws NOT_READY; BAD_VALUE where the chip was reset meanwhile: what it shows then would be some 50 °C. */
async function convert(
  chip: I2cDevice,
  { command, waitMs, length }: Conversion,
  { clock }: DriverContext,
  signal: AbortSignal,
) {
  await chip.writeRegister(CONTROL, command);
  await clock.sleep(waitMs, signal);
  for (let poll = 0; poll < POLLS; poll++) {
    const control = await readByte(chip, CONTROL);
    const isComplete = (control & CONVERTING) === 0;
    if (isComplete) return unlessReset(bigEndian(await chip.readRegister(DATA, length)), length, control);
    await clock.sleep(POLL_MS, signal);
  }
  throw new GatewayError("NOT_READY", `still converting ${POLLS * POLL_MS} ms after the longest time`);
}

/** §4, memory map: after a reset the data are 0x80 and zeros, the control register 0. Without the latter it is a value. */
function unlessReset(code: number, length: number, control: number): number {
  if (control === 0 && code === 2 ** (8 * length - 1)) {
    throw new GatewayError("BAD_VALUE", "the chip has no conversion to show: it was reset");
  }
  return code;
}

/** By the datasheet's names (§3.4, table 5). */
export type Calibration = Readonly<
  Record<"AC1" | "AC2" | "AC3" | "AC4" | "AC5" | "AC6" | "B1" | "B2" | "MB" | "MC" | "MD", number>
>;

/** 0xAA to 0xBF. A word of 0x0000 or 0xFFFF says that the communication is broken (§3.4): BAD_VALUE. */
export function decodeCalibration(bytes: Uint8Array): Calibration {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < CALIBRATION_LENGTH; at += 2) {
    const word = view.getUint16(at);
    if (word === 0 || word === 0xffff) throw new GatewayError("BAD_VALUE", "the chip has no calibration values");
  }
  return {
    AC1: view.getInt16(0),
    AC2: view.getInt16(2),
    AC3: view.getInt16(4),
    AC4: view.getUint16(6),
    AC5: view.getUint16(8),
    AC6: view.getUint16(10),
    B1: view.getInt16(12),
    B2: view.getInt16(14),
    MB: view.getInt16(16),
    MC: view.getInt16(18),
    MD: view.getInt16(20),
  };
}

/** The datasheet's integers (§3.5). Products outgrow 32 bits, so its shifts are divisions rounded down here. */
export function decode(UT: number, UP: number, oss: number, calibration: Calibration): Values {
  const { AC1, AC2, AC3, AC4, AC5, AC6, B1, B2, MC, MD } = calibration;
  const linear = shift((UT - AC6) * AC5, 15);
  const B5 = linear + Math.trunc((MC * 2048) / (linear + MD));
  const temperature = shift(B5 + 8, 4) / 10;
  if (!(temperature >= -40 && temperature <= 85)) {
    throw new GatewayError("BAD_VALUE", `temperature code ${UT} would be ${temperature} °C`);
  }
  const B6 = B5 - 4000;
  const square = shift(B6 * B6, 12);
  const X3 = shift(B2 * square, 11) + shift(AC2 * B6, 11);
  const B3 = shift((AC1 * 4 + X3) * 2 ** oss + 2, 2);
  const B4 = shift(AC4 * (shift(shift(AC3 * B6, 13) + shift(B1 * square, 16) + 2, 2) + 32768), 15);
  const B7 = (UP - B3) * (50000 >> oss);
  const raw = B7 < 0x80000000 ? Math.trunc((B7 * 2) / B4) : Math.trunc(B7 / B4) * 2;
  const bend = shift(shift(raw, 8) ** 2 * 3038, 16) + shift(-7357 * raw, 16);
  return { temperature, pressure: (raw + shift(bend + 3791, 4)) / 100 };
}

function shift(value: number, bits: number): number {
  return Math.floor(value / 2 ** bits);
}
