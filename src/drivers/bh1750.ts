import { z } from "zod";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { bigEndian } from "./registers.ts";

/** Commands (ROHM BH1750FVI 2011.11 rev. D, "Instruction Set Architecture"). */
const POWER_ON = 0x01;
const ONE_TIME = { normal: 0x20, fine: 0x21 } as const;
/** The measurement time register's factory value, and the longest measurement at it. */
const FACTORY_TIME = 69;
const FACTORY_MS = 180;
const SATURATED = 0xffff;

export const bh1750 = i2cDriver({
  name: "bh1750",
  aliases: ["bh1750fvi"],
  title: "ROHM BH1750: illuminance",
  manufacturer: "ROHM",
  model: "BH1750FVI",
  addresses: [0x23, 0x5c],
  options: {
    resolution: z
      .enum(["normal", "fine"])
      .default("normal")
      .describe("`fine` counts half a lux, and ends at half the brightness"),
    measurement_time: z
      .int()
      .min(31)
      .max(254)
      .default(FACTORY_TIME)
      .describe("The chip's measurement time register: more for dark places or behind glass, less for bright ones"),
  },
  channels: { illuminance: { quantity: "illuminance", decimals: 2, min: 0, max: 121_557 } },
  timing: { minIntervalMs: 1000, expectedMs: 800 },
  notes: "With the measurement time at 31 it reaches 121,000 lx, at 69 54,600 lx; at its end a reading is `saturated`.",

  async open(chip, { resolution, measurement_time: time }, { clock }) {
    await chip.write([POWER_ON]);
    return {
      async read(signal) {
        // One time, then it sleeps; the time register forgets with the supply, so it is set each time.
        await chip.write([POWER_ON]);
        await chip.write([0x40 | (time >> 5)]);
        await chip.write([0x60 | (time & 0x1f)]);
        await chip.write([ONE_TIME[resolution]]);
        await clock.sleep((FACTORY_MS * time) / FACTORY_TIME, signal);
        return decode(bigEndian(await chip.read(2)), resolution, time);
      },
    };
  },
});

/** 1.2 counts a lux at the factory's time, twice as many in the fine mode. */
export function decode(count: number, resolution: "normal" | "fine", time: number): Sample {
  const lux = (count / 1.2) * (FACTORY_TIME / time);
  const values = { illuminance: resolution === "fine" ? lux / 2 : lux };
  return count === SATURATED ? { values, quality: { illuminance: "saturated" } } : { values };
}
