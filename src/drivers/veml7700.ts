import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readWordLe, writeWordLe } from "./registers.ts";

/** Registers, 16 bits, least significant byte first (Vishay 84286, table 1). */
const CONFIG = 0x00;
const ALS = 0x04;
const WHITE = 0x05;
const ID = 0x07;
const SHUTDOWN = 0x0001;

const GAIN_CODE = { 0.125: 0b10, 0.25: 0b11, 1: 0b00, 2: 0b01 } as const;
const TIME_CODE = { 25: 0b1100, 50: 0b1000, 100: 0b0000, 200: 0b0001, 400: 0b0010, 800: 0b0011 } as const;
type Gain = keyof typeof GAIN_CODE;
type TimeMs = keyof typeof TIME_CODE;
const GAINS = [0.125, 0.25, 1, 2] as const;

/** Lux a count at gain 2 and 800 ms. Vishay changed it from 0.0036 with the datasheet of 2022 (rev. 1.6). */
const LUX_PER_COUNT = 0.0042;
const WAKE_MS = 4;
/** The oscillator may be slow by this. */
const TIME_MARGIN = 1.2;
const SATURATED = 0xffff;
/** Auto-ranging: below, the next measurement has more gain; above, this one is made again with the least. */
const DARK = 1000;
const BRIGHT = 60_000;

export const veml7700 = i2cDriver({
  name: "veml7700",
  aliases: ["veml6030"],
  title: "Vishay VEML7700 and VEML6030: illuminance",
  manufacturer: "Vishay",
  model: "VEML7700",
  addresses: [0x10, 0x48],
  options: {
    gain: z
      .literal(["auto", 0.125, 0.25, 1, 2])
      .default("auto")
      .describe("Gain of the sensor; `auto` follows the light"),
    integration_time: z
      .literal([25, 50, 100, 200, 400, 800])
      .default(100)
      .describe("How long it gathers light, in milliseconds: longer for dark places"),
  },
  channels: {
    illuminance: { quantity: "illuminance", decimals: 3, min: 0, max: 300_000 },
    white: { quantity: "light_counts", title: "White", min: 0, max: 65_535 },
  },
  timing: { minIntervalMs: 2500, expectedMs: 2000 },
  notes:
    "`white` counts in steps of the gain that was in use. Above 1000 lx at the gains 1/8 and 1/4 Vishay's correction for " +
    "the sensor's bend is applied.",

  async identify(chip) {
    const id = await readWordLe(chip, ID);
    // Early lots have no id register, and show 0 or all ones there.
    if ((id & 0xff) !== 0x81 && id !== 0 && id !== 0xffff) throw mismatch(chip, "VEML7700", `its id is ${hex(id, 4)}`);
    return {};
  },

  async open(chip, { gain: wanted, integration_time: timeMs }, { clock }) {
    let gain: Gain = wanted === "auto" ? 0.125 : wanted;
    const measure = async (signal: AbortSignal) => {
      const config = (GAIN_CODE[gain] << 11) | (TIME_CODE[timeMs] << 6);
      await writeWordLe(chip, CONFIG, config);
      await clock.sleep(WAKE_MS + timeMs * TIME_MARGIN, signal);
      const counts = { als: await readWordLe(chip, ALS), white: await readWordLe(chip, WHITE) };
      // Dark, or a brown-out meanwhile, after which it is shut down (table 1) and has counted nothing.
      if (counts.als + counts.white === 0 && ((await readWordLe(chip, CONFIG)) & SHUTDOWN) !== 0) {
        throw new GatewayError("NOT_READY", "the chip was reset while it measured");
      }
      await writeWordLe(chip, CONFIG, config | SHUTDOWN);
      return counts;
    };
    return {
      async read(signal) {
        let counts = await measure(signal);
        if (wanted === "auto" && counts.als > BRIGHT && gain !== GAINS[0]) {
          gain = GAINS[0];
          counts = await measure(signal);
        }
        const sample = decode(counts.als, counts.white, gain, timeMs);
        if (wanted === "auto" && counts.als < DARK) gain = GAINS[GAINS.indexOf(gain) + 1] ?? gain;
        return sample;
      },
    };
  },
});

export function decode(als: number, white: number, gain: Gain, timeMs: TimeMs): Sample {
  const linear = als * LUX_PER_COUNT * (800 / timeMs) * (2 / gain);
  const values = { illuminance: gain < 1 && linear > 1000 ? corrected(linear) : linear, white };
  const quality = {
    ...(als === SATURATED && { illuminance: "saturated" as const }),
    ...(white === SATURATED && { white: "saturated" as const }),
  };
  return Object.keys(quality).length > 0 ? { values, quality } : { values };
}

/** Vishay's application note 84323, "Lux level matching": the sensor bends above 1000 lx. */
function corrected(lux: number): number {
  return 6.0135e-13 * lux ** 4 - 9.3924e-9 * lux ** 3 + 8.1488e-5 * lux ** 2 + 1.0023 * lux;
}
