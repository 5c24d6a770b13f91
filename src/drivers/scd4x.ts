import { z } from "zod";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { checkedWords } from "./crc.ts";
import { type DriverContext, i2cDriver } from "./driver.ts";
import { onOff } from "./options.ts";
import { ask, askSerial, celsiusOf, percentOf, tell } from "./sensirion.ts";

/** Commands and times (Sensirion SCD4x datasheet v1.5, §3.4 and table 9). */
const STOP = { code: 0x3f86, waitMs: 500 };
const DATA_READY = { code: 0xe4b8, waitMs: 1 };
const READ = { code: 0xec05, waitMs: 1 };
const VARIANT = { code: 0x202f, waitMs: 1 };
const TEMPERATURE_OFFSET = { code: 0x241d, waitMs: 1 };
const ALTITUDE = { code: 0x2427, waitMs: 1 };
const PRESSURE = { code: 0xe000, waitMs: 1 };
const SELF_CALIBRATION = { code: 0x2416, waitMs: 1 };
const MODE = {
  periodic: { start: { code: 0x21b1, waitMs: 0 }, periodMs: 5000 },
  low_power: { start: { code: 0x21ac, waitMs: 0 }, periodMs: 30_000 },
} as const;
const MODEL_OF_VARIANT: Readonly<Record<number, string>> = { 0: "SCD40", 1: "SCD41", 5: "SCD43" };

const POLL_MS = 100;
/** The chip's own clock may be slow by this. */
const PERIOD_MARGIN = 1.1;

export const scd4x = i2cDriver({
  name: "scd4x",
  aliases: ["scd40", "scd41", "scd43"],
  title: "Sensirion SCD40, SCD41 and SCD43: carbon dioxide, temperature and humidity",
  manufacturer: "Sensirion",
  model: "SCD4x",
  addresses: [0x62],
  options: {
    mode: z
      .enum(["periodic", "low_power"])
      .default("periodic")
      .describe("A new measurement every 5 s, or with `low_power` every 30 s"),
    self_calibration: onOff()
      .prefault("on")
      .describe("Takes the lowest value of a week for fresh air: off where the room is never aired"),
    temperature_offset: z
      .number()
      .min(0)
      .max(20)
      .optional()
      .describe("How many °C the sensor's own heat adds where it is built in; the factory's is 4"),
    altitude: z.int().min(0).max(3000).optional().describe("Of the place in metres, for the air's pressure"),
    pressure: z.int().min(700).max(1200).optional().describe("Of the air in hPa, in place of the altitude"),
  },
  channels: {
    co2: { quantity: "carbon_dioxide", min: 0, max: 40_000 },
    temperature: { quantity: "temperature", min: -45, max: 130 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  noisy: ["co2", "temperature"],
  timing: { minIntervalMs: 6000, expectedMs: 6000, deadlineMs: 40_000, defaultIntervalMs: 30_000 },
  notes:
    "Settings are written to the chip's working memory, never to its EEPROM, which bears 2000 writes. Self-calibration " +
    "needs fresh air once a week.",

  /** Asks for something that it answers while it measures, too: the CRC is identity enough. */
  async identify(chip, context) {
    await ask(chip, DATA_READY, 1, context);
    return {};
  },

  async open(chip, options, context) {
    const { start, periodMs } = MODE[options.mode];
    // Left measuring by a program before us, it takes nothing but this.
    await tell(chip, STOP, context);
    const { serial = "" } = await askSerial(chip, context);
    const model = await modelOf(chip, context);
    const measureAnew = async () => {
      const { temperature_offset: offset, altitude, pressure } = options;
      if (offset !== undefined) await tell(chip, TEMPERATURE_OFFSET, context, [Math.round((offset * 65535) / 175)]);
      if (altitude !== undefined) await tell(chip, ALTITUDE, context, [altitude]);
      await tell(chip, SELF_CALIBRATION, context, [options.self_calibration ? 1 : 0]);
      await tell(chip, start, context);
      if (pressure !== undefined) await tell(chip, PRESSURE, context, [pressure]);
    };
    await measureAnew();
    return {
      serial,
      ...(model && { model }),
      async read(signal) {
        if (await waitForData(chip, periodMs * PERIOD_MARGIN, context, signal)) {
          return { values: decode(await readFrame(chip, context)) };
        }
        // It is idle after a brown-out.
        await tell(chip, STOP, context, [], signal);
        await measureAnew();
        throw new GatewayError("NOT_READY", `no new measurement in ${periodMs / 1000} s: it was started again`);
      },
    };
  },
});

async function modelOf(chip: I2cDevice, context: DriverContext): Promise<string | undefined> {
  try {
    const [variant = 0] = await ask(chip, VARIANT, 1, context);
    return MODEL_OF_VARIANT[variant >> 12];
  } catch (error) {
    // Not in every datasheet.
    if (isGatewayError(error, "BUS_NACK", "BUS_IO", "CHECKSUM")) return undefined;
    throw error;
  }
}

async function waitForData(chip: I2cDevice, maxMs: number, context: DriverContext, signal: AbortSignal) {
  const { clock } = context;
  const endMs = clock.monoMs() + maxMs;
  for (;;) {
    if (isReady(await ask(chip, DATA_READY, 1, context, [], signal))) return true;
    if (clock.monoMs() >= endMs) return false;
    await clock.sleep(POLL_MS, signal);
  }
}

/** The lowest eleven bits say whether there is data (§3.8.2). */
export function isReady([status = 0]: readonly number[]): boolean {
  return (status & 0x07ff) !== 0;
}

async function readFrame(chip: I2cDevice, context: DriverContext): Promise<Uint8Array> {
  await tell(chip, READ, context);
  return await chip.read(9);
}

/** Three words (§3.5.2). Throws CHECKSUM, and BAD_VALUE where it has not measured any carbon dioxide yet. */
export function decode(frame: Uint8Array): Values {
  const [co2 = 0, temperature = 0, humidity = 0] = checkedWords(frame);
  if (co2 === 0) throw new GatewayError("BAD_VALUE", "0 ppm is what it shows before its first measurement");
  return { co2, temperature: celsiusOf(temperature), humidity: percentOf(humidity) };
}
