import { z } from "zod";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { averagingNote, identifyTi, trigger } from "./ina2xx.ts";
import { readWord, signed } from "./registers.ts";

/** Registers and the configuration (SBOS656C, §8.6). */
const CURRENT = 0x01;
const VOLTAGE = 0x02;
const POWER = 0x03;
const RESERVED = 0x6000;
/** 1.1 ms for voltage and current each. */
const CONVERSION_CODE = (0b100 << 6) | (0b100 << 3);
const CONVERSION_MS = 1.21;
const TRIGGERED = 0b011;
const AVERAGING_CODE = { 1: 0, 4: 1, 16: 2, 64: 3, 128: 4, 256: 5, 512: 6, 1024: 7 } as const;

export const ina260 = i2cDriver({
  name: "ina260",
  title: "Texas Instruments INA260: voltage, current and power, with its own shunt",
  manufacturer: "Texas Instruments",
  model: "INA260",
  addresses: [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f],
  options: {
    averaging: z.literal([1, 4, 16, 64, 128, 256, 512, 1024]).default(16).describe(averagingNote),
  },
  channels: {
    voltage: { quantity: "voltage", min: 0, max: 40.96 },
    current: { quantity: "current", min: -40.96, max: 40.96 },
    power: { quantity: "power", min: 0, max: 655.35 },
  },
  timing: { minIntervalMs: 100, expectedMs: 80, deadlineMs: 5000 },
  notes: "Its shunt bears 15 A. Power has no sign.",

  async identify(chip) {
    await identifyTi(chip, "INA260", 0x2270, 0xfff0);
    return {};
  },

  async open(chip, { averaging }, context) {
    const config = RESERVED | (AVERAGING_CODE[averaging] << 9) | CONVERSION_CODE | TRIGGERED;
    return {
      async read(signal) {
        await trigger(chip, config, 2 * averaging * CONVERSION_MS, context, signal);
        return decode(await readWord(chip, VOLTAGE), await readWord(chip, CURRENT), await readWord(chip, POWER));
      },
    };
  },
});

/** 1.25 mV, 1.25 mA and 10 mW a step. */
export function decode(voltage: number, currentWord: number, power: number): Sample {
  const current = signed(currentWord);
  const values = { voltage: (voltage * 1.25) / 1000, current: (current * 1.25) / 1000, power: power / 100 };
  const isSaturated = current === 0x7fff || current === -0x8000;
  return isSaturated ? { values, quality: { current: "saturated", power: "saturated" } } : { values };
}
