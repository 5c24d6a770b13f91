import { z } from "zod";
import { isGatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver, type Sensor } from "./driver.ts";
import { keptValue } from "./kept-value.ts";
import { ownRhythm } from "./own-rhythm.ts";
import { hex, mismatch } from "./registers.ts";
import { ask, askSerial, tell } from "./sensirion.ts";

/** Commands (Sensirion SGP30 datasheet v1, §3.3 table 10). */
const INITIALIZE = { code: 0x2003, waitMs: 10 };
const MEASURE = { code: 0x2008, waitMs: 12 };
const GET_BASELINE = { code: 0x2015, waitMs: 10 };
const SET_BASELINE = { code: 0x201e, waitMs: 10 };
const SET_HUMIDITY = { code: 0x2061, waitMs: 10 };
const FEATURES = { code: 0x202f, waitMs: 10 };

/** Its own filters want exactly one measurement a second (§3.2). */
const PERIOD_MS = 1000;
/** It answers 400 ppm and 0 ppb meanwhile. */
const WARM_UP_MS = 15_000;
const KEEP_EVERY_MS = 3600 * 1000;
/** Without a baseline it needs 12 hours to find one (§3.2). */
const LEARNT_AFTER_MS = 12 * 3600 * 1000;
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;
const baseline = z.object({ eco2: z.int().min(1).max(0xffff), tvoc: z.int().min(1).max(0xffff) });

export const sgp30 = i2cDriver({
  name: "sgp30",
  title: "Sensirion SGP30: volatile organic compounds and equivalent CO2",
  manufacturer: "Sensirion",
  model: "SGP30",
  addresses: [0x58],
  options: {
    absolute_humidity: z
      .number()
      .min(0)
      .max(255)
      .default(0)
      .describe("Of the air in g/m³, for the chip's compensation; 0 leaves it off"),
  },
  channels: {
    eco2: { quantity: "carbon_dioxide", title: "Equivalent CO2", min: 400, max: 60_000 },
    tvoc: { quantity: "tvoc", min: 0, max: 60_000 },
  },
  timing: { minIntervalMs: 2000, expectedMs: 1500, defaultIntervalMs: 30_000 },
  notes:
    "The chip is measured every second, whatever the interval. Its baseline is kept over restarts, for a week. " +
    "Equivalent CO2 is computed from the gases it smells, and is no measurement of carbon dioxide.",

  async identify(chip, context) {
    const [features = 0] = await ask(chip, FEATURES, 1, context);
    // The product's type is in the upper four bits (§3.4).
    if (features >> 12 !== 0) throw mismatch(chip, "SGP30", `its features are ${hex(features, 4)}`);
    return await askSerial(chip, context);
  },

  open: (chip, options, context) => openSgp30(chip, options.absolute_humidity, context),
});

async function openSgp30(chip: I2cDevice, humidity: number, context: DriverContext): Promise<Sensor> {
  const { clock } = context;
  const { serial = "" } = await askSerial(chip, context);
  const kept = keptValue(context, { schema: baseline, serial, maxAgeMs: MAX_AGE_MS });
  let startedMs: number | undefined;
  let learntMs = 0;
  let keptMs = 0;

  const start = async () => {
    await tell(chip, INITIALIZE, context);
    const found = kept.restore();
    // Written in the other order than it is read (§3.3).
    if (found) await tell(chip, SET_BASELINE, context, [found.tvoc, found.eco2]);
    if (humidity > 0) await tell(chip, SET_HUMIDITY, context, [Math.round(humidity * 256)]);
    startedMs = clock.monoMs();
    keptMs = startedMs;
    learntMs = found ? startedMs : startedMs + LEARNT_AFTER_MS;
  };
  const keepBaseline = async () => {
    const now = clock.monoMs();
    if (now < learntMs || now - keptMs < KEEP_EVERY_MS) return;
    const [eco2 = 0, tvoc = 0] = await ask(chip, GET_BASELINE, 2, context);
    if (eco2 !== 0 && tvoc !== 0) kept.keep({ eco2, tvoc });
    keptMs = now;
  };

  await start();
  const rhythm = ownRhythm(PERIOD_MS, clock, async (): Promise<Sample> => {
    // After a brown-out it knows nothing of measuring until it is initialized.
    if (startedMs === undefined) await start();
    try {
      const sample = decode(await ask(chip, MEASURE, 2, context));
      await keepBaseline();
      const isWarming = clock.monoMs() - (startedMs ?? 0) < WARM_UP_MS;
      return isWarming ? { ...sample, quality: { eco2: "warming", tvoc: "warming" } } : sample;
    } catch (error) {
      // A flipped bit on the wire is no brown-out, and to initialize it would forget up to 12 hours of learning.
      if (!isGatewayError(error, "CHECKSUM")) startedMs = undefined;
      throw error;
    }
  });
  return { read: (signal) => rhythm.next(signal), close: () => rhythm.close() };
}

export function decode([eco2 = 0, tvoc = 0]: readonly number[]): Sample {
  return { values: { eco2, tvoc } };
}
