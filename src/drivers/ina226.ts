import { z } from "zod";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { averagingNote, powerSample, shuntOption, trigger } from "./ina2xx.ts";
import { hex, mismatch, readWord, signed } from "./registers.ts";

/** Registers and the configuration (SBOS547B, §7.6). */
const SHUNT_VOLTAGE = 0x01;
const BUS_VOLTAGE = 0x02;
/** The INA230 has this id, and none of the manufacturer (SBOS601). */
const DIE = 0xff;
const ANY_REVISION = 0xfff0;
const RESERVED = 0x4000;
/** 1.1 ms for bus and shunt each. */
const CONVERSION_CODE = (0b100 << 6) | (0b100 << 3);
const CONVERSION_MS = 1.21;
const SHUNT_AND_BUS_TRIGGERED = 0b011;
const AVERAGING_CODE = { 1: 0, 4: 1, 16: 2, 64: 3, 128: 4, 256: 5, 512: 6, 1024: 7 } as const;

export const ina226 = i2cDriver({
  name: "ina226",
  aliases: ["ina230", "ina231"],
  title: "Texas Instruments INA226, INA230 and INA231: voltage, current and power",
  manufacturer: "Texas Instruments",
  model: "INA226",
  addresses: [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f],
  options: {
    shunt: shuntOption,
    averaging: z.literal([1, 4, 16, 64, 128, 256, 512, 1024]).default(16).describe(averagingNote),
  },
  channels: {
    voltage: { quantity: "voltage", min: 0, max: 40.96 },
    shunt_voltage: { quantity: "voltage", title: "Shunt voltage", decimals: 6, min: -0.08192, max: 0.08192 },
    current: { quantity: "current" },
    power: { quantity: "power" },
  },
  timing: { minIntervalMs: 100, expectedMs: 80, deadlineMs: 5000 },
  notes: "With a shunt of 0.1 Ω it measures up to 0.8 A, with 2 mΩ 40 A.",

  async identify(chip) {
    const die = await readWord(chip, DIE);
    if ((die & ANY_REVISION) !== 0x2260) throw mismatch(chip, "INA226", `its die's id is ${hex(die, 4)}`);
    return {};
  },

  async open(chip, { shunt, averaging }, context) {
    const config = RESERVED | (AVERAGING_CODE[averaging] << 9) | CONVERSION_CODE | SHUNT_AND_BUS_TRIGGERED;
    return {
      async read(signal) {
        await trigger(chip, config, 2 * averaging * CONVERSION_MS, context, signal);
        return decode(await readWord(chip, BUS_VOLTAGE), await readWord(chip, SHUNT_VOLTAGE), shunt);
      },
    };
  },
});

/** The bus at 1.25 mV a step, the shunt at 2.5 µV. */
export function decode(bus: number, shuntWord: number, shunt: number): Sample {
  const steps = signed(shuntWord);
  return powerSample((bus * 1.25) / 1000, steps / 400_000, shunt, steps === 0x7fff || steps === -0x8000);
}
