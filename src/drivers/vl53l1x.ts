import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver, sampleOf } from "./driver.ts";
import { bigEndian, mismatch } from "./registers.ts";

/** Registers of ST's ultra lite driver (STSW-IMG009, BSD 3-clause); their addresses have 16 bits. */
const REGISTER = {
  vhvTimeout: 0x0008,
  vhvStart: 0x000b,
  configuration: 0x002d,
  interrupt: 0x0031,
  phaseTimeout: 0x004b,
  timeoutA: 0x005e,
  periodA: 0x0060,
  timeoutB: 0x0061,
  periodB: 0x0063,
  validPhase: 0x0069,
  window: 0x0078,
  initialPhase: 0x007a,
  interruptClear: 0x0086,
  mode: 0x0087,
  rangeStatus: 0x0089,
  distance: 0x0096,
  firmwareStatus: 0x00e5,
  model: 0x010f,
} as const;
const START = 0x40;
const STOP = 0x00;
/** Bit 0; most chips show 0x03. */
const BOOTED = 0x01;
const BOOT_MS = 2;
const POLL_MS = 5;
const POLLS = 40;
/** Raw status (low five bits; vl53l1_ll_device.h): measured, or not checked whether it is a wrap-around or two targets in one. */
const MEASURED = 9;
const UNCHECKED: ReadonlySet<number> = new Set([19, 22]);
/** Signal, phase, deviation, wrap-around, too near, cross-talk, region: there was nothing to measure. */
const NO_TARGET: ReadonlySet<number> = new Set([4, 5, 6, 7, 8, 12, 13]);
const FAILURES: ReadonlySet<number> = new Set([1, 2, 3]);

/** 0x2D to 0x87, as ST's driver writes them at its start. */
const CONFIGURATION = hexBytes(
  `00 00 00 01 02 00 02 08 00 08 10 01 01 00 00 00 00 FF 00 0F 00 00 00 00 00 20 0B 00 00 02 0A 21
   00 00 05 00 00 00 00 C8 00 00 38 FF 01 00 08 00 00 01 CC 0F 01 F1 0D 01 68 00 80 08 B8 00 00 00
   00 0F 89 00 00 00 00 00 00 00 01 0F 0D 0E 0E 00 00 02 C7 FF 9B 00 00 00 01 00 00`,
);

type Mode = "short" | "long";
/** Timing budget in milliseconds -> the two time-outs, in the chip's own coding. */
const TIMEOUTS: Readonly<Record<Mode, Readonly<Record<number, readonly [number, number]>>>> = {
  short: {
    20: [0x0051, 0x006e],
    33: [0x00d6, 0x006e],
    50: [0x01ae, 0x01e8],
    100: [0x02e1, 0x0388],
    200: [0x03e1, 0x0496],
    500: [0x0591, 0x05c1],
  },
  long: {
    20: [0x001e, 0x0022],
    33: [0x0060, 0x006e],
    50: [0x00ad, 0x00c6],
    100: [0x01cc, 0x01ea],
    200: [0x02d9, 0x02f8],
    500: [0x048f, 0x04a4],
  },
};
const MODE_SETTINGS: Readonly<Record<Mode, readonly (readonly [register: number, ...bytes: number[]])[]>> = {
  short: [
    [REGISTER.phaseTimeout, 0x14],
    [REGISTER.periodA, 0x07],
    [REGISTER.periodB, 0x05],
    [REGISTER.validPhase, 0x38],
    [REGISTER.window, 0x07, 0x05],
    [REGISTER.initialPhase, 0x06, 0x06],
  ],
  long: [
    [REGISTER.phaseTimeout, 0x0a],
    [REGISTER.periodA, 0x0f],
    [REGISTER.periodB, 0x0d],
    [REGISTER.validPhase, 0xb8],
    [REGISTER.window, 0x0f, 0x0d],
    [REGISTER.initialPhase, 0x0e, 0x0e],
  ],
};

export const vl53l1x = i2cDriver({
  name: "vl53l1x",
  title: "STMicroelectronics VL53L1X: distance",
  manufacturer: "STMicroelectronics",
  model: "VL53L1X",
  addresses: [0x29],
  options: {
    mode: z
      .enum(["short", "long"])
      .default("long")
      .describe("`short` reaches 1.3 m and bears more light from elsewhere, `long` 4 m in the dark"),
    timing_budget: z
      .literal([20, 33, 50, 100, 200, 500])
      .default(100)
      .describe("How long one measurement takes, in milliseconds: longer for farther and steadier"),
  },
  channels: {
    distance: { quantity: "distance", min: 0, max: 8190 },
    target: { quantity: "binary", title: "Target in range" },
  },
  timing: { minIntervalMs: 250, expectedMs: 200, deadlineMs: 3000 },
  notes: "Where nothing is in range there is no distance, and `target` is off. A VL53L0X has the same address.",

  async identify(chip) {
    const [model = 0, type = 0] = await read(chip, REGISTER.model, 2);
    if (model !== 0xea || type !== 0xcc) throw mismatch(chip, "VL53L1X", `its model is ${model}, ${type}`);
    return {};
  },

  async open(chip, { mode, timing_budget: budgetMs }, context) {
    const [timeoutA, timeoutB] = TIMEOUTS[mode][budgetMs] ?? [0, 0];
    const configure = async (signal?: AbortSignal) => {
      await untilBooted(chip, context, signal);
      await write(chip, REGISTER.configuration, ...CONFIGURATION);
      // The first measurement calibrates the laser; the following need not search (ST's VL53L1X_SensorInit).
      await measure(chip, budgetMs, context, signal);
      await write(chip, REGISTER.vhvTimeout, 0x09);
      await write(chip, REGISTER.vhvStart, 0x00);
      for (const [register, ...bytes] of MODE_SETTINGS[mode]) await write(chip, register, ...bytes);
      await write(chip, REGISTER.timeoutA, timeoutA >> 8, timeoutA & 0xff);
      await write(chip, REGISTER.timeoutB, timeoutB >> 8, timeoutB & 0xff);
    };
    // Reset, it has the time-outs of its firmware; the first of them can be ours, too.
    const isConfigured = async () =>
      bigEndian(await read(chip, REGISTER.timeoutA, 2)) === timeoutA &&
      bigEndian(await read(chip, REGISTER.timeoutB, 2)) === timeoutB;
    await configure();
    return {
      async read(signal) {
        if (!(await isConfigured())) await configure(signal);
        return decode(await measure(chip, budgetMs, context, signal));
      },
    };
  },
});

async function untilBooted(chip: I2cDevice, { clock }: DriverContext, signal?: AbortSignal): Promise<void> {
  await clock.sleep(BOOT_MS, signal);
  for (let poll = 0; poll < POLLS; poll++) {
    const [status = 0] = await read(chip, REGISTER.firmwareStatus, 1);
    if ((status & BOOTED) !== 0) return;
    await clock.sleep(POLL_MS, signal);
  }
  throw new GatewayError("NOT_READY", `the chip has not booted after ${POLLS * POLL_MS} ms`);
}

async function measure(
  chip: I2cDevice,
  budgetMs: number,
  { clock }: DriverContext,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  await write(chip, REGISTER.interruptClear, 0x01);
  await write(chip, REGISTER.mode, START);
  await clock.sleep(budgetMs, signal);
  for (let poll = 0; poll < POLLS; poll++) {
    // Active high, as configured.
    const [interrupt = 0] = await read(chip, REGISTER.interrupt, 1);
    if ((interrupt & 0x01) !== 0) {
      const result = await read(chip, REGISTER.rangeStatus, REGISTER.distance - REGISTER.rangeStatus + 2);
      await write(chip, REGISTER.interruptClear, 0x01);
      await write(chip, REGISTER.mode, STOP);
      return result;
    }
    await clock.sleep(POLL_MS, signal);
  }
  throw new GatewayError("NOT_READY", `no measurement ${POLLS * POLL_MS} ms after its time`);
}

/** Status in the low five bits of 0x89, millimetres at 0x96. Throws BAD_VALUE where the chip failed. */
export function decode(result: Uint8Array): Sample {
  const status = (result[0] ?? 0) & 0x1f;
  if (FAILURES.has(status)) throw new GatewayError("BAD_VALUE", `the chip reports a failure of its laser (${status})`);
  if (NO_TARGET.has(status)) return sampleOf({ target: false });
  const isUnchecked = UNCHECKED.has(status);
  if (status !== MEASURED && !isUnchecked) throw new GatewayError("BAD_VALUE", `the chip gives no result (${status})`);
  const values = { distance: bigEndian(result.subarray(13, 15)), target: true };
  return isUnchecked ? { values, quality: { distance: "estimated" } } : { values };
}

/** A repeated start bears one byte of register only: two transfers, with a stop between, serve as well. */
async function read(chip: I2cDevice, register: number, length: number): Promise<Uint8Array> {
  await chip.write([register >> 8, register & 0xff]);
  return await chip.read(length);
}

async function write(chip: I2cDevice, register: number, ...bytes: readonly number[]): Promise<void> {
  await chip.write([register >> 8, register & 0xff, ...bytes]);
}

function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(text.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16));
}
