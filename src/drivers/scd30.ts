import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { checkedWords } from "./crc.ts";
import { type DriverContext, i2cDriver } from "./driver.ts";
import { onOff } from "./options.ts";
import { ask, floatOf, tell } from "./sensirion.ts";

/** Commands (Sensirion SCD30 interface description v1.0, §1.4), and 3 ms between asking and reading at least. */
const START = { code: 0x0010, waitMs: 4 };
const INTERVAL = { code: 0x4600, waitMs: 4 };
const DATA_READY = { code: 0x0202, waitMs: 4 };
const READ = { code: 0x0300, waitMs: 4 };
const SELF_CALIBRATION = { code: 0x5306, waitMs: 4 };
const TEMPERATURE_OFFSET = { code: 0x5403, waitMs: 4 };
const ALTITUDE = { code: 0x5102, waitMs: 4 };
const FIRMWARE = { code: 0xd100, waitMs: 4 };
const POLL_MS = 100;

export const scd30 = i2cDriver({
  name: "scd30",
  title: "Sensirion SCD30: carbon dioxide, temperature and humidity",
  manufacturer: "Sensirion",
  model: "SCD30",
  addresses: [0x61],
  options: {
    measurement_interval: z.int().min(2).max(60).default(2).describe("How often the chip measures, in seconds"),
    self_calibration: onOff()
      .prefault("on")
      .describe("Takes the lowest value of a week for fresh air: off where the room is never aired"),
    temperature_offset: z
      .number()
      .min(0)
      .max(20)
      .default(0)
      .describe("How many °C the sensor's own heat adds where it is built in"),
    altitude: z.int().min(0).max(3000).default(0).describe("Of the place in metres, for the air's pressure"),
    pressure: z.int().min(700).max(1400).optional().describe("Of the air in hPa, in place of the altitude"),
  },
  channels: {
    co2: { quantity: "carbon_dioxide", min: 0, max: 40_000 },
    temperature: { quantity: "temperature", min: -40, max: 120 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  noisy: ["co2", "temperature"],
  timing: { minIntervalMs: 3000, expectedMs: 3000, deadlineMs: 75_000, defaultIntervalMs: 30_000 },
  notes:
    "It stretches the clock for 30 ms, and once a day for 150, which a Pi up to the 4 does not bear: a read fails then and " +
    "is tried again. `i2c_arm_baudrate=10000`, or the overlay `i2c-gpio`, mend it.",

  async identify(chip, context) {
    const [firmware = 0] = await ask(chip, FIRMWARE, 1, context);
    return { model: `SCD30 (firmware ${firmware >> 8}.${firmware & 0xff})` };
  },

  async open(chip, options, context) {
    // The chip keeps them in a memory that wears: only what differs is written.
    const set = async (command: typeof START, word: number) => {
      const [kept] = await ask(chip, command, 1, context);
      if (kept !== word) await tell(chip, command, context, [word]);
    };
    await set(INTERVAL, options.measurement_interval);
    await set(SELF_CALIBRATION, options.self_calibration ? 1 : 0);
    await set(TEMPERATURE_OFFSET, Math.round(options.temperature_offset * 100));
    await set(ALTITUDE, options.altitude);
    await tell(chip, START, context, [options.pressure ?? 0]);
    const maxMs = options.measurement_interval * 1000 * 1.2;
    return {
      async read(signal) {
        await waitForData(chip, maxMs, context, signal);
        await tell(chip, READ, context, [], signal);
        return { values: decode(await chip.read(18)) };
      },
    };
  },
});

/** Throws NOT_READY. It goes on measuring by itself after a brown-out. */
async function waitForData(chip: I2cDevice, maxMs: number, context: DriverContext, signal: AbortSignal): Promise<void> {
  const { clock } = context;
  for (const endMs = clock.monoMs() + maxMs; clock.monoMs() < endMs; await clock.sleep(POLL_MS, signal)) {
    const [ready] = await ask(chip, DATA_READY, 1, context, [], signal);
    if (ready === 1) return;
  }
  throw new GatewayError("NOT_READY", `no new measurement in ${Math.round(maxMs)} ms`);
}

/** Three numbers of two words each (§1.4.5). Throws CHECKSUM, and BAD_VALUE before the first measurement. */
export function decode(frame: Uint8Array): Values {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = checkedWords(frame);
  const values = { co2: floatOf(a, b), temperature: floatOf(c, d), humidity: floatOf(e, f) };
  if (values.co2 === 0 || !Object.values(values).every(Number.isFinite)) {
    throw new GatewayError("BAD_VALUE", `${values.co2} ppm is what it shows before its first measurement`);
  }
  return values;
}
