import { z } from "zod";
import type { Quality, Sample } from "../core/reading.ts";
import { type ChannelTable, i2cDriver } from "./driver.ts";
import { averagingNote, identifyTi, shuntOption, trigger } from "./ina2xx.ts";
import { readWord, signed } from "./registers.ts";

/** Registers and the configuration (SBOS576B, §8.6): shunt and bus of channel 1 at 0x01 and 0x02, and so on. */
const shuntRegister = (input: number) => 2 * input - 1;
const busRegister = (input: number) => 2 * input;
/** 1.1 ms for bus and shunt each. */
const CONVERSION_CODE = (0b100 << 6) | (0b100 << 3);
const CONVERSION_MS = 1.21;
const TRIGGERED = 0b011;
const AVERAGING_CODE = { 1: 0, 4: 1, 16: 2, 64: 3, 128: 4, 256: 5, 512: 6, 1024: 7 } as const;

export const ina3221 = i2cDriver({
  name: "ina3221",
  title: "Texas Instruments INA3221: voltage, current and power of three supplies",
  manufacturer: "Texas Instruments",
  model: "INA3221",
  addresses: [0x40, 0x41, 0x42, 0x43],
  options: {
    inputs: z
      .array(z.literal([1, 2, 3]))
      .min(1)
      .max(3)
      .default([1, 2, 3])
      .meta({ title: "list of 1, 2 and 3" })
      .describe("The channels that are measured"),
    shunt: shuntOption,
    averaging: z.literal([1, 4, 16, 64, 128, 256, 512, 1024]).default(16).describe(averagingNote),
  },
  channels: inputChannels([1, 2, 3]),
  channelsFor: ({ inputs }) => inputChannels(inputs),
  timing: { minIntervalMs: 200, expectedMs: 180, deadlineMs: 10_000 },
  notes: "With shunts of 0.1 Ω it measures up to 1.6 A.",

  async identify(chip) {
    await identifyTi(chip, "INA3221", 0x3220);
    return {};
  },

  async open(chip, { inputs, shunt, averaging }, context) {
    const enabled = inputs.reduce((bits, input) => bits | (0x8000 >> input), 0);
    const config = enabled | (AVERAGING_CODE[averaging] << 9) | CONVERSION_CODE | TRIGGERED;
    const waitMs = 2 * new Set(inputs).size * averaging * CONVERSION_MS;
    return {
      async read(signal) {
        await trigger(chip, config, waitMs, context, signal);
        const values: Record<string, number> = {};
        const quality: Record<string, Quality> = {};
        for (const input of inputs) {
          const [bus, word] = [await readWord(chip, busRegister(input)), await readWord(chip, shuntRegister(input))];
          const found = decode(bus, word, shunt);
          for (const [key, value] of Object.entries(found.values)) values[`${key}_${input}`] = Number(value);
          for (const key of Object.keys(found.quality ?? {})) quality[`${key}_${input}`] = "saturated";
        }
        return Object.keys(quality).length > 0 ? { values, quality } : { values };
      },
    };
  },
});

/** 8 mV and 40 µV a step in the upper 13 bits (§8.6.2). */
export function decode(busWord: number, shuntWord: number, shunt: number): Sample {
  const voltage = (signed(busWord) >> 3) * 0.008;
  const steps = signed(shuntWord) >> 3;
  const current = (steps * 0.00004) / shunt;
  const values = { voltage, current, power: voltage * current };
  const isSaturated = steps === 0x0fff || steps === -0x1000;
  return isSaturated ? { values, quality: { current: "saturated", power: "saturated" } } : { values };
}

function inputChannels(inputs: readonly number[]): ChannelTable {
  return Object.fromEntries(
    inputs.flatMap((input) => [
      [`voltage_${input}`, { quantity: "voltage", title: `Voltage ${input}`, min: -32.768, max: 32.768 }],
      [`current_${input}`, { quantity: "current", title: `Current ${input}` }],
      [`power_${input}`, { quantity: "power", title: `Power ${input}` }],
    ]),
  );
}
