import { z } from "zod";
import { isGatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { checkedWords, hexWords } from "./crc.ts";
import { i2cDriver } from "./driver.ts";
import { mismatch } from "./registers.ts";

/**
 * Single shot without clock stretching, which the BCM2835's controller does not bear, and the longest time until the
 * answer can be read (datasheet SHT3x-DIS v6, §4.3 table 9 and §2.2 table 4, at the lowest supply).
 */
const MEASURE = {
  high: { command: [0x24, 0x00], waitMs: 15.5 },
  medium: { command: [0x24, 0x0b], waitMs: 6.5 },
  low: { command: [0x24, 0x16], waitMs: 4.5 },
} as const;

/** Ends periodic measurement, in which single shots are refused (§4.8). */
const BREAK = [0x30, 0x93];
const BREAK_MS = 1;
/** Heater off (§4.10): a program before us may have left it on, and it warms the reading by degrees. */
const HEATER_OFF = [0x30, 0x66];
const READ_SERIAL = [0x36, 0x82];
const READ_STATUS = [0xf3, 0x2d];
const READ_MANUFACTURER = [0x37, 0x81];
const TEXAS_INSTRUMENTS = 0x3000;
const COMMAND_MS = 1;

export const sht3x = i2cDriver({
  name: "sht3x",
  aliases: ["sht30", "sht31", "sht35"],
  title: "Sensirion SHT30, SHT31 and SHT35: temperature and humidity",
  manufacturer: "Sensirion",
  model: "SHT3x",
  addresses: [0x44, 0x45],
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
  timing: { minIntervalMs: 100, expectedMs: 40 },
  notes: "SHT4x has the same addresses and other commands: take `sht4x` for it.",

  async identify(chip, { clock }) {
    const ask = async (command: readonly number[], length: number) => {
      await chip.write(command);
      await clock.sleep(COMMAND_MS);
      return checkedWords(await chip.read(length));
    };
    try {
      return { serial: hexWords(await ask(READ_SERIAL, 6)) };
    } catch (error) {
      if (!isGatewayError(error, "BUS_NACK")) throw error;
      // Early chips have no serial number to read: a status word with a good CRC is identity enough.
      await ask(READ_STATUS, 3);
      await refuseHdc302x(() => ask(READ_MANUFACTURER, 3), chip);
      return {};
    }
  },

  async open(chip, { precision }, { clock }) {
    await chip.write(BREAK);
    await clock.sleep(BREAK_MS);
    await chip.write(HEATER_OFF);
    await clock.sleep(COMMAND_MS);
    const { command, waitMs } = MEASURE[precision];
    return {
      async read(signal) {
        await chip.write(command);
        await clock.sleep(waitMs, signal);
        return { values: decode(await chip.read(6)) };
      },
    };
  },
});

/** A HDC302x has no serial number there either, and a status word of the same kind. */
async function refuseHdc302x(askManufacturer: () => Promise<readonly number[]>, chip: I2cDevice): Promise<void> {
  const [manufacturer] = await askManufacturer().catch((error: unknown) => {
    if (isGatewayError(error, "BUS_NACK")) return [];
    throw error;
  });
  if (manufacturer === TEXAS_INSTRUMENTS) throw mismatch(chip, "SHT3x", "it has the id of an HDC302x");
}

/** Temperature word, CRC, humidity word, CRC (§4.13). Throws CHECKSUM. */
export function decode(frame: Uint8Array): Values {
  const [temperature = 0, humidity = 0] = checkedWords(frame);
  return {
    temperature: -45 + (175 * temperature) / 65535,
    humidity: (100 * humidity) / 65535,
  };
}
