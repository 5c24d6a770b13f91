import { z } from "zod";
import { i2cDriver } from "./driver.ts";
import { readByte, readWord, signed } from "./registers.ts";

/** Registers (NXP LM75B rev. 6.1, §7.4; the same in all of them). */
const TEMPERATURE = 0x00;
const CONFIG = 0x01;
const SHUTDOWN = 0x01;
/** The slowest of the family, the first LM75 (National DS012658). */
const CONVERSION_MS = 300;

export const lm75 = i2cDriver({
  name: "lm75",
  aliases: ["lm75a", "lm75b", "ds75", "tmp75", "ds1775", "tmp1075"],
  title: "LM75, LM75A, LM75B, DS75, TMP75 and others of its kind: temperature",
  model: "LM75",
  addresses: [0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f],
  options: {
    bits: z
      .literal([9, 10, 11, 12])
      .default(11)
      .describe("Width of its temperature: 9 in a first LM75, 11 in LM75A and LM75B, up to 12 in DS75 and TMP75"),
  },
  channels: { temperature: { quantity: "temperature", min: -55, max: 125 } },
  timing: { minIntervalMs: 500, expectedMs: 400 },
  notes: "It has no id: whatever answers at its address is read as one. ADS1115, TMP102 and TMP117 share 0x48 to 0x4b.",

  async open(chip, { bits }, { clock }) {
    const wake = async (signal?: AbortSignal) => {
      const config = await readByte(chip, CONFIG);
      if ((config & SHUTDOWN) === 0) return;
      await chip.writeRegister(CONFIG, config & ~SHUTDOWN);
      await clock.sleep(CONVERSION_MS, signal);
    };
    await wake();
    await clock.sleep(CONVERSION_MS);
    return {
      async read(signal) {
        await wake(signal);
        return { values: { temperature: decode(await readWord(chip, TEMPERATURE), bits) } };
      },
    };
  },
});

/** `bits` of two's complement at the top of the word; 256ths of a degree. What stands below is undefined. */
export function decode(word: number, bits: number): number {
  return signed(word >> (16 - bits), bits) * 2 ** (8 - bits);
}
