import { z } from "zod";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { checkedWords } from "./crc.ts";
import { type DriverContext, i2cDriver } from "./driver.ts";
import { hex, mismatch } from "./registers.ts";
import { ask, tell } from "./sensirion.ts";

/** Commands and the longest times (Sensirion SHTC3 datasheet v3, §3.1 table 5 and §5). */
const WAKE = { code: 0x3517, waitMs: 1 };
const SLEEP = { code: 0xb098, waitMs: 0 };
const READ_ID = { code: 0xefc8, waitMs: 1 };
/** Temperature first, without clock stretching. */
const MEASURE = {
  normal: { code: 0x7866, waitMs: 12.1 },
  low_power: { code: 0x609c, waitMs: 0.8 },
} as const;

export const shtc3 = i2cDriver({
  name: "shtc3",
  title: "Sensirion SHTC3: temperature and humidity",
  manufacturer: "Sensirion",
  model: "SHTC3",
  addresses: [0x70],
  options: {
    mode: z.enum(["normal", "low_power"]).default("normal").describe("`low_power` is faster, with more noise"),
  },
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 125 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  noisy: ["temperature"],
  timing: { minIntervalMs: 100, expectedMs: 40 },
  notes: "It sleeps between readings, and then does not answer a bus scan. A TCA9548A can have the same address.",

  async identify(chip, context) {
    const [id = 0] = await awake(chip, context, () => ask(chip, READ_ID, 1, context));
    if ((id & 0x083f) !== 0x0807) throw mismatch(chip, "SHTC3", `its id is ${hex(id, 4)}`);
    return {};
  },

  async open(chip, { mode }, context) {
    return {
      read: (signal) =>
        awake(chip, context, async () => {
          await tell(chip, MEASURE[mode], context, [], signal);
          return { values: decode(await chip.read(6)) };
        }),
    };
  },
});

/** Asleep it takes no other command than the one that wakes it. */
async function awake<T>(chip: I2cDevice, context: DriverContext, work: () => Promise<T>): Promise<T> {
  await tell(chip, WAKE, context);
  const done = await work();
  await tell(chip, SLEEP, context);
  return done;
}

/** Temperature word, CRC, humidity word, CRC (§5.11). Throws CHECKSUM. */
export function decode(frame: Uint8Array): Values {
  const [temperature = 0, humidity = 0] = checkedWords(frame);
  return { temperature: -45 + (175 * temperature) / 65536, humidity: (100 * humidity) / 65536 };
}
