import { i2cDriver } from "./driver.ts";
import { readWord, signed, writeWord } from "./registers.ts";

/** Registers (SBOS397H, §7.5). */
const TEMPERATURE = 0x00;
const CONFIG = 0x01;
/**
 * Continuously, eight times a second. After power-on it is four times, which tells that the chip was reset. The alert bit
 * (0x0020) follows the temperature.
 */
const EIGHT_HERTZ = 0x60c0;
const ALERT = 0x0020;
/** A conversion, and one period at the slowest that a program before us may have left. */
const CONVERSION_MS = 35;

export const tmp102 = i2cDriver({
  name: "tmp102",
  aliases: ["tmp112"],
  title: "Texas Instruments TMP102 and TMP112: temperature",
  manufacturer: "Texas Instruments",
  model: "TMP102",
  addresses: [0x48, 0x49, 0x4a, 0x4b],
  options: {},
  channels: { temperature: { quantity: "temperature", min: -55, max: 150 } },
  timing: { minIntervalMs: 200, expectedMs: 80 },
  notes: "It has no id. ADS1115, LM75 and TMP117 share its addresses.",

  async open(chip, _options, { clock }) {
    const configure = async (signal?: AbortSignal) => {
      await writeWord(chip, CONFIG, EIGHT_HERTZ);
      await clock.sleep(CONVERSION_MS, signal);
    };
    await configure();
    return {
      async read(signal) {
        // Reset, it shows 0 °C until its first conversion is done.
        if (((await readWord(chip, CONFIG)) & ~ALERT) !== EIGHT_HERTZ) await configure(signal);
        return { values: { temperature: decode(await readWord(chip, TEMPERATURE)) } };
      },
    };
  },
});

/** Sixteenths of a degree in the upper 12 bits, or in extended mode, which the lowest bit shows, in 13 (§7.5.2). */
export function decode(word: number): number {
  return (word & 1 ? signed(word) >> 3 : signed(word) >> 4) / 16;
}
