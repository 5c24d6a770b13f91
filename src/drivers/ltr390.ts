import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, littleEndian, mismatch, readByte } from "./registers.ts";

/** Registers (Lite-On LTR-390UV-01 v1.1, §7). */
const MAIN_CONTROL = 0x00;
const RESOLUTION = 0x04;
const GAIN = 0x05;
const PART_ID = 0x06;
const STATUS = 0x07;
const DATA = { ambient: 0x0d, uv: 0x10 } as const;
const ENABLE = { ambient: 0x02, uv: 0x0a } as const;
const STANDBY = 0x00;
const DATA_READY = 0x08;

const GAIN_CODE = { 1: 0, 3: 1, 6: 2, 9: 3, 18: 4 } as const;
/** Ambient light at 18 bits in 100 ms. UV as the sensitivity is given for: 20 bits, 400 ms, gain 18; and how often. */
const SETTING = {
  ambient: { register: 0x22, bits: 18, timeMs: 100 },
  uv: { register: 0x04, bits: 20, timeMs: 400 },
} as const;
const UV_GAIN = 18;
/** Counts a unit of the UV index. */
const UV_SENSITIVITY = 2300;
const TIME_MARGIN = 1.25;
const POLLS = 10;
const POLL_MS = 20;

export const ltr390 = i2cDriver({
  name: "ltr390",
  title: "Lite-On LTR-390: illuminance and UV index",
  manufacturer: "Lite-On",
  model: "LTR-390UV",
  addresses: [0x53],
  options: {
    gain: z.literal([1, 3, 6, 9, 18]).default(3).describe("For ambient light: 1 for full sun, more for dark places"),
    window_factor: z
      .number()
      .min(1)
      .max(100)
      .default(1)
      .describe("What a window in front of the sensor takes away: 1 for none"),
  },
  channels: {
    illuminance: { quantity: "illuminance", decimals: 2, min: 0, max: 16_000_000 },
    uv_index: { quantity: "uv_index", decimals: 3, min: 0, max: 46_000 },
  },
  timing: { minIntervalMs: 1200, expectedMs: 1100 },

  async identify(chip) {
    const id = await readByte(chip, PART_ID);
    if (id >> 4 !== 0xb) throw mismatch(chip, "LTR-390", `its part id is ${hex(id)}`);
    return {};
  },

  async open(chip, { gain, window_factor: windowFactor }, { clock }) {
    const measure = async (what: "ambient" | "uv", gainCode: number, signal: AbortSignal) => {
      // Standby and all settings each time: what a brown-out erased is back, and the old data is gone.
      await chip.writeRegister(MAIN_CONTROL, STANDBY);
      await chip.writeRegister(RESOLUTION, SETTING[what].register);
      await chip.writeRegister(GAIN, gainCode);
      await readByte(chip, STATUS);
      await chip.writeRegister(MAIN_CONTROL, ENABLE[what]);
      await clock.sleep(SETTING[what].timeMs * TIME_MARGIN, signal);
      for (let poll = 0; poll < POLLS; poll++) {
        if (((await readByte(chip, STATUS)) & DATA_READY) !== 0) {
          return littleEndian(await chip.readRegister(DATA[what], 3)) & 0xfffff;
        }
        await clock.sleep(POLL_MS, signal);
      }
      throw new GatewayError("NOT_READY", `no new data ${POLLS * POLL_MS} ms after the longest time`);
    };
    return {
      async read(signal) {
        const ambient = await measure("ambient", GAIN_CODE[gain], signal);
        const uv = await measure("uv", GAIN_CODE[UV_GAIN], signal);
        await chip.writeRegister(MAIN_CONTROL, STANDBY);
        return decode(ambient, uv, gain, windowFactor);
      },
    };
  },
});

/** §8: lux and UV index of the two counts. */
export function decode(ambient: number, uv: number, gain: number, windowFactor: number): Sample {
  const values = {
    illuminance: ((0.6 * ambient) / (gain * (SETTING.ambient.timeMs / 100))) * windowFactor,
    uv_index: (uv / UV_SENSITIVITY) * windowFactor,
  };
  const isFull = (count: number, bits: number) => count >= 2 ** bits - 1;
  const quality = {
    ...(isFull(ambient, SETTING.ambient.bits) && { illuminance: "saturated" as const }),
    ...(isFull(uv, SETTING.uv.bits) && { uv_index: "saturated" as const }),
  };
  return Object.keys(quality).length > 0 ? { values, quality } : { values };
}
