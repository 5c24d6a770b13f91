import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readByte, readWordLe } from "./registers.ts";

/** Registers with the command bit, and for words the word bit (TAOS059N, tables 2 and 3). */
const CONTROL = 0x80;
const TIMING = 0x81;
const ID = 0x8a;
const CHANNEL_0 = 0xac;
const CHANNEL_1 = 0xae;
const POWER_ON = 0x03;
const POWER_OFF = 0x00;

/** Nominal integration time in milliseconds -> code, clock cycles and full scale (TAOS059N, tables 6 and "Calculating Lux"). */
const INTEGRATION = {
  13.7: { code: 0b00, cycles: 11, full: 5047 },
  101: { code: 0b01, cycles: 81, full: 37_177 },
  402: { code: 0b10, cycles: 322, full: 65_535 },
} as const;
type TimeMs = keyof typeof INTEGRATION;
const HIGH_GAIN = 0x10;
/** The oscillator runs at 690 to 780 kHz, nominally 735. */
const TIME_MARGIN = 1.1;
const DARK = 2000;

/** Upper end of CH1/CH0 -> factors of CH0 and CH1; packages T, FN and CL, and CS. */
const SEGMENTS = {
  T: {
    bend: [0.5, 0.0304, 0.062],
    lines: [
      [0.61, 0.0224, 0.031],
      [0.8, 0.0128, 0.0153],
      [1.3, 0.00146, 0.00112],
    ],
  },
  CS: {
    bend: [0.52, 0.0315, 0.0593],
    lines: [
      [0.65, 0.0229, 0.0291],
      [0.8, 0.0157, 0.018],
      [1.3, 0.00338, 0.0026],
    ],
  },
} as const;
export type Package = keyof typeof SEGMENTS;

export const tsl2561 = i2cDriver({
  name: "tsl2561",
  title: "TAOS TSL2561: illuminance",
  manufacturer: "ams TAOS",
  model: "TSL2561",
  addresses: [0x39, 0x29, 0x49],
  options: {
    gain: z.literal(["auto", 1, 16]).default("auto").describe("Gain of the sensor; `auto` follows the light"),
    integration_time: z
      .literal([13.7, 101, 402])
      .default(402)
      .describe("How long it gathers light, in milliseconds: shorter for bright places"),
  },
  channels: { illuminance: { quantity: "illuminance", decimals: 2, min: 0, max: 75_000 } },
  timing: { minIntervalMs: 1000, expectedMs: 950 },

  async identify(chip) {
    const id = await readByte(chip, ID);
    if (id >> 4 === 0x1) return { model: "TSL2561CS" };
    if (id >> 4 === 0x5) return { model: "TSL2561T" };
    throw mismatch(chip, "TSL2561", `its id is ${hex(id)}`);
  },

  async open(chip, { gain: wanted, integration_time: timeMs }, { clock }) {
    const type: Package = (await readByte(chip, ID)) >> 4 === 0x1 ? "CS" : "T";
    const { code, full } = INTEGRATION[timeMs];
    let gain: 1 | 16 = wanted === "auto" ? 16 : wanted;
    const measure = async (signal: AbortSignal) => {
      // Powered up anew, it starts a fresh integration, and what a brown-out erased is back.
      await chip.writeRegister(CONTROL, POWER_OFF);
      await chip.writeRegister(TIMING, code | (gain === 16 ? HIGH_GAIN : 0));
      await chip.writeRegister(CONTROL, POWER_ON);
      await clock.sleep(timeMs * TIME_MARGIN, signal);
      const counts = [await readWordLe(chip, CHANNEL_0), await readWordLe(chip, CHANNEL_1)] as const;
      // Dark, or a brown-out meanwhile, after which it is off and has counted nothing.
      if (counts[0] + counts[1] === 0 && ((await readByte(chip, CONTROL)) & POWER_ON) !== POWER_ON) {
        throw new GatewayError("NOT_READY", "the chip was reset while it measured");
      }
      await chip.writeRegister(CONTROL, POWER_OFF);
      return counts;
    };
    return {
      async read(signal) {
        let counts = await measure(signal);
        if (wanted === "auto" && gain === 16 && Math.max(...counts) >= full) {
          gain = 1;
          counts = await measure(signal);
        }
        const sample = decode(counts[0], counts[1], { gain, timeMs, type });
        if (wanted === "auto" && counts[0] < DARK) gain = 16;
        return sample;
      },
    };
  },
});

/** Channel 0 sees visible and infrared light, channel 1 infrared alone (TAOS059N, "Calculating Lux"). */
export function decode(
  channel0: number,
  channel1: number,
  { gain, timeMs, type }: { readonly gain: 1 | 16; readonly timeMs: TimeMs; readonly type: Package },
): Sample {
  const { cycles, full } = INTEGRATION[timeMs];
  const scale = (16 / gain) * (322 / cycles);
  const values = { illuminance: lux(channel0 * scale, channel1 * scale, type) };
  return channel0 >= full || channel1 >= full ? { values, quality: { illuminance: "saturated" } } : { values };
}

function lux(channel0: number, channel1: number, type: Package): number {
  if (channel0 === 0) return 0;
  const ratio = channel1 / channel0;
  const { bend, lines } = SEGMENTS[type];
  if (ratio <= bend[0]) return bend[1] * channel0 - bend[2] * channel0 * ratio ** 1.4;
  const line = lines.find(([end]) => ratio <= end);
  return line ? Math.max(0, line[1] * channel0 - line[2] * channel1) : 0;
}
