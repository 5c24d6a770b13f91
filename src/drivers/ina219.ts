import { z } from "zod";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { averagingNote, powerSample, refuseTi, shuntOption, trigger } from "./ina2xx.ts";
import { readWord, signed } from "./registers.ts";

/** Registers and the configuration (SBOS448G, §8.6). */
const SHUNT_VOLTAGE = 0x01;
const BUS_VOLTAGE = 0x02;
const BUS_32_V = 0x2000;
const SHUNT_AND_BUS_TRIGGERED = 0b011;

/** Full scale of the shunt's voltage in millivolts -> code of the amplifier. */
const SHUNT_RANGE_CODE = { 40: 0, 80: 1, 160: 2, 320: 3 } as const;
/** Samples averaged -> code of both converters (table 5). */
const AVERAGING_CODE = {
  1: 0b0011,
  2: 0b1001,
  4: 0b1010,
  8: 0b1011,
  16: 0b1100,
  32: 0b1101,
  64: 0b1110,
  128: 0b1111,
} as const;
/** The longest conversion of one sample at 12 bits. */
const SAMPLE_MS = 0.586;

export const ina219 = i2cDriver({
  name: "ina219",
  aliases: ["ina220"],
  title: "Texas Instruments INA219: voltage, current and power",
  manufacturer: "Texas Instruments",
  model: "INA219",
  addresses: [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f],
  options: {
    shunt: shuntOption,
    shunt_range: z
      .literal([40, 80, 160, 320])
      .default(320)
      .describe("Full scale of the voltage across the shunt, in millivolts"),
    averaging: z.literal([1, 2, 4, 8, 16, 32, 64, 128]).default(16).describe(averagingNote),
  },
  channels: {
    voltage: { quantity: "voltage", min: 0, max: 32.764 },
    shunt_voltage: { quantity: "voltage", title: "Shunt voltage", decimals: 6, min: -0.32768, max: 0.32768 },
    current: { quantity: "current" },
    power: { quantity: "power" },
  },
  timing: { minIntervalMs: 200, expectedMs: 200 },
  notes:
    "With a shunt of 0.1 Ω it measures up to 3.2 A. It has no id: other chips at its address are told where they have one.",

  async identify(chip) {
    await refuseTi(chip, "INA219");
    return {};
  },

  async open(chip, { shunt, shunt_range: range, averaging }, context) {
    const code = AVERAGING_CODE[averaging];
    const config = BUS_32_V | (SHUNT_RANGE_CODE[range] << 11) | (code << 7) | (code << 3) | SHUNT_AND_BUS_TRIGGERED;
    return {
      async read(signal) {
        await trigger(chip, config, 2 * averaging * SAMPLE_MS, context, signal);
        return decode(await readWord(chip, BUS_VOLTAGE), await readWord(chip, SHUNT_VOLTAGE), { shunt, range });
      },
    };
  },
});

/** The bus at 4 mV a step in the upper 13 bits, the shunt at 10 µV whatever its range, which is where it ends. */
export function decode(
  bus: number,
  shuntWord: number,
  { shunt, range }: { readonly shunt: number; readonly range: keyof typeof SHUNT_RANGE_CODE },
): Sample {
  const steps = signed(shuntWord);
  return powerSample((bus >> 3) * 0.004, steps / 100_000, shunt, Math.abs(steps) >= range * 100);
}
