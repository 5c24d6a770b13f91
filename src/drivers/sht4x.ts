import { z } from "zod";
import type { Values } from "../core/reading.ts";
import { checkedWords, hexWords } from "./crc.ts";
import { i2cDriver } from "./driver.ts";

/** Commands and the longest time until the answer can be read (datasheet SHT4x v6, §3.2 table 5 and §4.5 table 8). */
const MEASURE = {
  high: { command: 0xfd, waitMs: 8.3 },
  medium: { command: 0xf6, waitMs: 4.5 },
  low: { command: 0xe0, waitMs: 1.6 },
} as const;
const READ_SERIAL = 0x89;
const SERIAL_WAIT_MS = 1;

export const sht4x = i2cDriver({
  name: "sht4x",
  aliases: ["sht40", "sht41", "sht43", "sht45"],
  title: "Sensirion SHT40, SHT41, SHT43 and SHT45: temperature and humidity",
  manufacturer: "Sensirion",
  model: "SHT4x",
  addresses: [0x44, 0x45, 0x46],
  options: {
    precision: z
      .enum(["high", "medium", "low"])
      .default("high")
      .describe("Repeatability: the better, the longer it measures"),
  },
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 125 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  noisy: ["temperature"],
  timing: { minIntervalMs: 100, expectedMs: 30 },

  async identify(chip, { clock }) {
    await chip.write([READ_SERIAL]);
    await clock.sleep(SERIAL_WAIT_MS);
    return { serial: hexWords(checkedWords(await chip.read(6))) };
  },

  async open(chip, { precision }, { clock }) {
    const { command, waitMs } = MEASURE[precision];
    return {
      async read(signal) {
        await chip.write([command]);
        await clock.sleep(waitMs, signal);
        return { values: decode(await chip.read(6)) };
      },
    };
  },
});

/**
 * Temperature word, CRC, humidity word, CRC (datasheet §4.6). Humidity may compute to just outside 0..100 % at the ends
 * of the range and is cut there, as the datasheet says. Throws CHECKSUM.
 */
export function decode(frame: Uint8Array): Values {
  const [temperature = 0, humidity = 0] = checkedWords(frame);
  return {
    temperature: -45 + (175 * temperature) / 65535,
    humidity: Math.min(100, Math.max(0, -6 + (125 * humidity) / 65535)),
  };
}
