import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readWord, writeWord } from "./registers.ts";

/** Registers (SBOS681, §7.6). */
const RESULT = 0x00;
const CONFIG = 0x01;
const MANUFACTURER_ID = 0x7e;
const DEVICE_ID = 0x7f;

/** `TI` in ASCII, and what it is. */
const TEXAS_INSTRUMENTS = 0x5449;
const OPT3001 = 0x3001;

const AUTO_RANGE = 0xc000;
const LONG_CONVERSION = 0x0800;
const SINGLE_SHOT = 0x0200;
const OVERFLOW = 0x0100;
const READY = 0x0080;
/** Interrupts as after power-on: latched. */
const LATCHED = 0x0010;

/** The longest conversion and 3 ms (§6.5); the Linux driver waits as long. */
const READY_MS = { 100: 113, 800: 883 } as const;
const POLLS = 5;
const POLL_MS = 10;

export const opt3001 = i2cDriver({
  name: "opt3001",
  title: "Texas Instruments OPT3001: illuminance",
  manufacturer: "Texas Instruments",
  model: "OPT3001",
  addresses: [0x44, 0x45, 0x46, 0x47],
  options: {
    integration_time: z
      .literal([100, 800])
      .default(800)
      .describe("How long it gathers light, in milliseconds: shorter for faster readings, with more noise in the dark"),
  },
  channels: { illuminance: { quantity: "illuminance", decimals: 2, min: 0, max: 83_865.6 } },
  timing: { minIntervalMs: 1000, expectedMs: 950, deadlineMs: 5000 },
  notes:
    "Its range follows the light by itself, from 0.01 lx to 83,865 lx; above it a reading is `saturated`. SHT3x, SHT4x and INA219 " +
    "can have the same address: the id tells.",

  async identify(chip) {
    const maker = await readWord(chip, MANUFACTURER_ID);
    const device = await readWord(chip, DEVICE_ID);
    if (maker !== TEXAS_INSTRUMENTS || device !== OPT3001) {
      throw mismatch(chip, "OPT3001", `its ids are ${hex(maker, 4)} and ${hex(device, 4)}`);
    }
    return {};
  },

  async open(chip, { integration_time: time }, { clock }) {
    const config = AUTO_RANGE | (time === 800 ? LONG_CONVERSION : 0) | SINGLE_SHOT | LATCHED;
    return {
      async read(signal) {
        await writeWord(chip, CONFIG, config);
        await clock.sleep(READY_MS[time], signal);
        for (let poll = 0; poll < POLLS; poll++) {
          const status = await readWord(chip, CONFIG);
          if ((status & READY) !== 0) return decode(await readWord(chip, RESULT), (status & OVERFLOW) !== 0);
          await clock.sleep(POLL_MS, signal);
        }
        throw new GatewayError("NOT_READY", `still converting ${POLLS * POLL_MS} ms after the longest time`);
      },
    };
  },
});

/** Four bits of exponent, twelve of mantissa, in hundredths of a lux (§7.6.1.1.1). */
export function decode(word: number, isOverflow: boolean): Sample {
  const values = { illuminance: (2 ** (word >> 12) * (word & 0x0fff)) / 100 };
  return isOverflow ? { values, quality: { illuminance: "saturated" } } : { values };
}
