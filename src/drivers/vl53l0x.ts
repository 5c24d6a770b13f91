import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver, sampleOf } from "./driver.ts";
import { bigEndian, mismatch, readByte } from "./registers.ts";
import {
  BEGIN_SPAD_INFO,
  END_SPAD_INFO,
  type Pairs,
  PREPARE_SPADS,
  REQUEST_SPAD_INFO,
  SINGLE_SHOT_AFTER_STOP_VARIABLE,
  SINGLE_SHOT_BEFORE_STOP_VARIABLE,
  TUNING,
  UNLOCK,
} from "./vl53l0x-tuning.ts";

const REGISTER = {
  start: 0x00,
  sequence: 0x01,
  interruptConfig: 0x0a,
  interruptClear: 0x0b,
  interruptStatus: 0x13,
  rangeStatus: 0x14,
  signalRateLimit: 0x44,
  msrcControl: 0x60,
  spadStatus: 0x83,
  gpioPolarity: 0x84,
  stopVariable: 0x91,
  spadInfo: 0x92,
  spadEnables: 0xb0,
  model: 0xc0,
} as const;

/** DSS, pre-range and final range, but no minimum signal check (ST's default); 0xFF after power-on. */
const SEQUENCE = 0xe8;
/** 0.25 million counts a second, in 9.7 fixed point: farther away, noise would be taken for a target. */
const SIGNAL_RATE_LIMIT = 0.25 * 128;
const RANGE_COMPLETE = 11;
/** Neither measured nor failed. */
const NO_RESULT: ReadonlySet<number> = new Set([0, 15]);
/** What it gives where it saw nothing. */
const NOTHING_SEEN_MM = 8190;
const POLL_MS = 5;
const CALIBRATION_MS = 200;
/** ST's default budget, and some margin. */
const RANGING_MS = 33;
const MAX_RANGING_MS = 100;

export const vl53l0x = i2cDriver({
  name: "vl53l0x",
  title: "STMicroelectronics VL53L0X: distance",
  manufacturer: "STMicroelectronics",
  model: "VL53L0X",
  addresses: [0x29],
  options: {},
  channels: {
    distance: { quantity: "distance", min: 0, max: 8189 },
    target: { quantity: "binary", title: "Target in range" },
  },
  timing: { minIntervalMs: 200, expectedMs: 150, deadlineMs: 2000 },
  notes: "Up to 1.2 m, in the dark 2 m. Where nothing is in range there is no distance, and `target` is off.",

  async identify(chip) {
    const [model = 0, type = 0] = await chip.readRegister(REGISTER.model, 2);
    if (model !== 0xee || type !== 0xaa) throw mismatch(chip, "VL53L0X", `its model is ${model}, ${type}`);
    return {};
  },

  async open(chip, _options, context) {
    let stopVariable = await configure(chip, context);
    return {
      async read(signal) {
        if ((await readByte(chip, REGISTER.sequence)) !== SEQUENCE)
          stopVariable = await configure(chip, context, signal);
        await writePairs(chip, SINGLE_SHOT_BEFORE_STOP_VARIABLE);
        await chip.writeRegister(REGISTER.stopVariable, stopVariable);
        await writePairs(chip, SINGLE_SHOT_AFTER_STOP_VARIABLE);
        // What a measurement that was given up left behind would be taken for this one's.
        await chip.writeRegister(REGISTER.interruptClear, 0x01);
        await chip.writeRegister(REGISTER.start, 0x01);
        await context.clock.sleep(RANGING_MS, signal);
        await untilInterrupt(chip, MAX_RANGING_MS, context, signal);
        const result = await chip.readRegister(REGISTER.rangeStatus, 12);
        await chip.writeRegister(REGISTER.interruptClear, 0x01);
        return decode(result);
      },
    };
  },
});

/** Status in bits 6 to 3 of the first byte, millimetres in the last two. Throws BAD_VALUE where the chip failed. */
export function decode(result: Uint8Array): Sample {
  const status = ((result[0] ?? 0) >> 3) & 0xf;
  // ST's range status 1 to 3: the laser or its supervision failed.
  if (status >= 1 && status <= 3)
    throw new GatewayError("BAD_VALUE", `the chip reports a failure of its laser (${status})`);
  if (NO_RESULT.has(status)) throw new GatewayError("BAD_VALUE", `the chip gives no result (${status})`);
  const distance = bigEndian(result.subarray(10, 12));
  const target = status === RANGE_COMPLETE && distance < NOTHING_SEEN_MM;
  return sampleOf({ distance: target ? distance : undefined, target });
}

/** ST's data, static and reference initialization; resolves to a value that each measurement must write back. */
async function configure(chip: I2cDevice, context: DriverContext, signal?: AbortSignal): Promise<number> {
  await writePairs(chip, UNLOCK);
  const stopVariable = await readByte(chip, REGISTER.stopVariable);
  await writePairs(chip, [
    [0x00, 0x01],
    [0xff, 0x00],
    [0x80, 0x00],
  ]);
  await chip.writeRegister(REGISTER.msrcControl, (await readByte(chip, REGISTER.msrcControl)) | 0x12);
  await chip.writeRegister(REGISTER.signalRateLimit, SIGNAL_RATE_LIMIT >> 8, SIGNAL_RATE_LIMIT & 0xff);
  await chip.writeRegister(REGISTER.sequence, 0xff);
  await enableSpads(chip, context, signal);
  await writePairs(chip, TUNING);
  await chip.writeRegister(REGISTER.interruptConfig, 0x04);
  await chip.writeRegister(REGISTER.gpioPolarity, (await readByte(chip, REGISTER.gpioPolarity)) & ~0x10);
  await chip.writeRegister(REGISTER.interruptClear, 0x01);
  await calibrate(chip, 0x01, 0x40, context, signal);
  await calibrate(chip, 0x02, 0x00, context, signal);
  await chip.writeRegister(REGISTER.sequence, SEQUENCE);
  return stopVariable;
}

/** The reference array's photodiodes: as many of the good ones as the factory found to be right. */
async function enableSpads(chip: I2cDevice, { clock }: DriverContext, signal?: AbortSignal): Promise<void> {
  await writePairs(chip, BEGIN_SPAD_INFO);
  await chip.writeRegister(REGISTER.spadStatus, (await readByte(chip, REGISTER.spadStatus)) | 0x04);
  await writePairs(chip, REQUEST_SPAD_INFO);
  const endMs = clock.monoMs() + CALIBRATION_MS;
  while ((await readByte(chip, REGISTER.spadStatus)) === 0) {
    if (clock.monoMs() >= endMs) throw new GatewayError("NOT_READY", "the chip does not give its factory settings");
    await clock.sleep(POLL_MS, signal);
  }
  await chip.writeRegister(REGISTER.spadStatus, 0x01);
  const info = await readByte(chip, REGISTER.spadInfo);
  await writePairs(chip, [
    [0x81, 0x00],
    [0xff, 0x06],
  ]);
  await chip.writeRegister(REGISTER.spadStatus, (await readByte(chip, REGISTER.spadStatus)) & ~0x04);
  await writePairs(chip, END_SPAD_INFO);
  const map = await chip.readRegister(REGISTER.spadEnables, 6);
  await writePairs(chip, PREPARE_SPADS);
  await chip.writeRegister(REGISTER.spadEnables, ...chosenSpads(map, info & 0x7f, (info & 0x80) !== 0));
}

/** Of the good ones in `map`, the first `count`, from the twelfth on where they lie behind an aperture. */
export function chosenSpads(map: Uint8Array, count: number, isAperture: boolean): number[] {
  const chosen = Array.from(map, () => 0);
  let enabled = 0;
  for (let spad = isAperture ? 12 : 0; spad < map.length * 8 && enabled < count; spad++) {
    const bit = 1 << (spad & 7);
    if (((map[spad >> 3] ?? 0) & bit) === 0) continue;
    chosen[spad >> 3] = (chosen[spad >> 3] ?? 0) | bit;
    enabled++;
  }
  return chosen;
}

async function calibrate(
  chip: I2cDevice,
  sequence: number,
  start: number,
  context: DriverContext,
  signal?: AbortSignal,
): Promise<void> {
  await chip.writeRegister(REGISTER.sequence, sequence);
  await chip.writeRegister(REGISTER.start, 0x01 | start);
  await untilInterrupt(chip, CALIBRATION_MS, context, signal);
  await chip.writeRegister(REGISTER.interruptClear, 0x01);
  await chip.writeRegister(REGISTER.start, 0x00);
}

async function untilInterrupt(chip: I2cDevice, maxMs: number, { clock }: DriverContext, signal?: AbortSignal) {
  for (const endMs = clock.monoMs() + maxMs; ; await clock.sleep(POLL_MS, signal)) {
    if (((await readByte(chip, REGISTER.interruptStatus)) & 0x07) !== 0) return;
    if (clock.monoMs() >= endMs) throw new GatewayError("NOT_READY", `no measurement in ${maxMs} ms`);
  }
}

async function writePairs(chip: I2cDevice, pairs: Pairs): Promise<void> {
  for (const [register, value] of pairs) await chip.writeRegister(register, value);
}
