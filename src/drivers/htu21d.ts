import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { crc8 } from "./crc.ts";
import { type DriverContext, i2cDriver } from "./driver.ts";
import { mismatch, readByte } from "./registers.ts";

/**
 * Commands without holding the bus, and the longest times of the family: the SHT21's at 14 and 12 bits (datasheet SHT21
 * v4, table 7); the Si7021 measures the temperature along with the humidity (Si7021-A20 v1.2, table 2).
 */
const TEMPERATURE = { command: 0xf3, waitMs: 85 };
const HUMIDITY = { command: 0xf5, waitMs: 29 };
const READ_USER_REGISTER = 0xe7;
const WRITE_USER_REGISTER = 0xe6;
/** Resolution (bits 7 and 0, both 0: 14 bits of temperature, 12 of humidity) and heater (bit 2). */
const USER_BITS = 0b1000_0101;
const READ_ELECTRONIC_ID = [0xfc, 0xc9];
const MODEL_OF_ID: Readonly<Record<number, string>> = { 13: "Si7013", 20: "Si7020", 21: "Si7021" };

export const htu21d = i2cDriver({
  name: "htu21d",
  aliases: ["htu21", "sht21", "si7013", "si7020", "si7021"],
  title: "HTU21D, SHT21, Si7020 and Si7021: temperature and humidity",
  manufacturer: "TE Connectivity, Sensirion, Silicon Labs",
  model: "HTU21D",
  addresses: [0x40],
  options: {},
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 125 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  timing: { minIntervalMs: 500, expectedMs: 150 },
  notes: "HDC1080, INA219 and PCA9685 can have the same address: a measurement with a good CRC tells.",

  /** The HTU21D has no id. A pointer and a read change nothing in the other chips of this address. */
  async identify(chip, context) {
    try {
      await measure(chip, TEMPERATURE, context);
    } catch (error) {
      if (!isGatewayError(error, "CHECKSUM", "BAD_VALUE")) throw error;
      throw mismatch(chip, "HTU21D or Si7021", error.message);
    }
    const model = await modelOf(chip);
    return model ? { model } : {};
  },

  async open(chip, _options, context) {
    const user = await readByte(chip, READ_USER_REGISTER);
    // Heater off and full resolution: a program before us may have left them otherwise; after a brown-out it is so anyway.
    if ((user & USER_BITS) !== 0) await chip.writeRegister(WRITE_USER_REGISTER, user & ~USER_BITS);
    return {
      async read(signal) {
        const temperature = await measure(chip, TEMPERATURE, context, signal);
        const humidity = await measure(chip, HUMIDITY, context, signal);
        return { values: { temperature: celsius(temperature), humidity: percent(humidity) } };
      },
    };
  },
});

async function measure(
  chip: I2cDevice,
  { command, waitMs }: { readonly command: number; readonly waitMs: number },
  { clock }: DriverContext,
  signal?: AbortSignal,
): Promise<number> {
  await chip.write([command]);
  await clock.sleep(waitMs, signal);
  return checkedWord(await chip.read(3));
}

async function modelOf(chip: I2cDevice): Promise<string | undefined> {
  try {
    await chip.write(READ_ELECTRONIC_ID);
    // Two bytes of the serial number's second half, the first of them the id, and their CRC (Si7021-A20, §5.5).
    const answer = await chip.read(3);
    return answer[2] === crc8(answer.subarray(0, 2), 0x00) ? MODEL_OF_ID[answer[0] ?? 0] : undefined;
  } catch (error) {
    if (isGatewayError(error, "BUS_NACK", "BUS_IO")) return undefined;
    throw error;
  }
}

/** A word and its CRC, which starts at 0x00 here (HTU21D application note "CRC"). The two lowest bits are status. */
export function checkedWord(frame: Uint8Array): number {
  const [high = 0, low = 0, crc] = frame;
  const wanted = crc8(frame.subarray(0, 2), 0x00);
  if (crc !== wanted) throw new GatewayError("CHECKSUM", `the word's CRC is ${crc}, expected ${wanted}`);
  // Starting at 0, the CRC of nothing but zeros is right: a bus held low, or another chip's empty register.
  if (high === 0 && low === 0) throw new GatewayError("BAD_VALUE", "a word of zeros is no measurement");
  return (high << 8) | (low & 0xfc);
}

export function celsius(word: number): number {
  return -46.85 + (175.72 * word) / 65536;
}

/** Cut at 0 and 100, as both datasheets say that it may compute to just outside. */
export function percent(word: number): number {
  return Math.min(100, Math.max(0, -6 + (125 * word) / 65536));
}
