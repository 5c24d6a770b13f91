import { GatewayError } from "../core/errors.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { smbusPec } from "./crc.ts";
import { type ChannelTable, i2cDriver } from "./driver.ts";
import { onOff } from "./options.ts";
import { hex, littleEndian } from "./registers.ts";

/** Commands (Melexis MLX90614 rev. 13, §8.3 and §8.4): RAM at 0x00, EEPROM at 0x20. */
const AMBIENT = 0x06;
const OBJECT_1 = 0x07;
const OBJECT_2 = 0x08;
const ID = [0x3c, 0x3d, 0x3e, 0x3f];
const ERROR_FLAG = 0x8000;
/** From power-on to the first data (§8.1). */
const STARTUP_MS = 250;

export const mlx90614 = i2cDriver({
  name: "mlx90614",
  title: "Melexis MLX90614: temperature without contact",
  manufacturer: "Melexis",
  model: "MLX90614",
  addresses: [0x5a, 0x5b, 0x5c, 0x5d],
  options: {
    dual_zone: onOff().prefault("off").describe("Whether it has a second zone, as the types B and C have"),
  },
  channels: channels(false),
  channelsFor: ({ dual_zone: isDual }) => channels(isDual),
  timing: { minIntervalMs: 250, expectedMs: 50 },
  notes: "At most 100 kHz. Its emissivity is set in its memory at the factory. A CCS811 has the same addresses.",

  /** Four words with their PEC: no other chip has them. */
  async identify(chip) {
    const words: number[] = [];
    for (const command of ID) words.push(await readChecked(chip, command));
    return { serial: words.map((word) => word.toString(16).padStart(4, "0")).join("") };
  },

  async open(chip, { dual_zone: isDual }, { clock }) {
    await clock.sleep(STARTUP_MS);
    const celsius = async (command: number) => decode(await readChecked(chip, command));
    return {
      async read() {
        const values = { object_temperature: await celsius(OBJECT_1), ambient_temperature: await celsius(AMBIENT) };
        return { values: isDual ? { ...values, object_2_temperature: await celsius(OBJECT_2) } : values };
      },
    };
  },
});

function channels(isDual: boolean): ChannelTable {
  return {
    object_temperature: { quantity: "temperature", title: "Object temperature", min: -70, max: 382.2 },
    ambient_temperature: { quantity: "temperature", title: "Ambient temperature", min: -40, max: 125 },
    ...(isDual && {
      object_2_temperature: { quantity: "temperature", title: "Second object temperature", min: -70, max: 382.2 },
    }),
  };
}

/** A word and its PEC, by a repeated start as SMBus wants it. Throws CHECKSUM. */
async function readChecked(chip: I2cDevice, command: number): Promise<number> {
  return checkedWord(chip.address, command, await chip.readRegister(command, 3));
}

/** The PEC covers the address and the command, too (§8.4.3). */
export function checkedWord(address: number, command: number, [low = 0, high = 0, pec]: Uint8Array): number {
  const wanted = smbusPec([address << 1, command, (address << 1) | 1, low, high]);
  if (pec !== wanted) throw new GatewayError("CHECKSUM", `the word's PEC is ${pec}, expected ${wanted}`);
  return littleEndian(Uint8Array.of(low, high));
}

/** 50ths of a kelvin (§8.7.1). Throws BAD_VALUE where the chip's error flag is set. */
export function decode(word: number): number {
  if ((word & ERROR_FLAG) !== 0) throw new GatewayError("BAD_VALUE", `the chip flags an error: ${hex(word, 4)}`);
  return (word * 2) / 100 - 273.15;
}
