import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { expectId, readByte, readWordLe } from "./registers.ts";

/** Registers, with the command bits for a normal transaction (ams TSL2591 v1-02, "Register Description"). */
const ENABLE = 0xa0;
const CONTROL = 0xa1;
const ID = 0xb2;
const STATUS = 0xb3;
const CHANNEL_0 = 0xb4;
const CHANNEL_1 = 0xb6;
const POWER_AND_LIGHT = 0x03;
const OFF = 0x00;
const VALID = 0x01;

/** Nominal gain -> code and factor ("Optical Characteristics"). */
const GAIN = {
  low: { code: 0b00, factor: 1 },
  medium: { code: 0b01, factor: 25 },
  high: { code: 0b10, factor: 428 },
  max: { code: 0b11, factor: 9876 },
} as const;
type Gain = keyof typeof GAIN;
const GAINS: readonly Gain[] = ["low", "medium", "high", "max"];
/** An integration is 8 % longer at most ("Optical Characteristics"), and the oscillator has to start. */
const TIME_MARGIN = 1.08;
const MAX_TIME_MARGIN = 1.2;
const POLL_MS = 10;
const DARK = 100;
/** No official formula exists: this is Adafruit's, whose factor for glass and package is 408. */
const LUX_FACTOR = 408;

export const tsl2591 = i2cDriver({
  name: "tsl2591",
  title: "ams TSL2591: illuminance",
  manufacturer: "ams",
  model: "TSL2591",
  addresses: [0x29],
  options: {
    gain: z
      .enum(["auto", "low", "medium", "high", "max"])
      .default("auto")
      .describe("Gain of the sensor, 1, 25, 428 or 9876; `auto` follows the light"),
    integration_time: z
      .literal([100, 200, 300, 400, 500, 600])
      .default(100)
      .describe("How long it gathers light, in milliseconds: longer for dark places"),
  },
  channels: {
    illuminance: { quantity: "illuminance", decimals: 4, min: 0, max: 300_000 },
    full: { quantity: "light_counts", title: "Visible and infrared", min: 0, max: 65_535 },
    infrared: { quantity: "light_counts", title: "Infrared", min: 0, max: 65_535 },
  },
  timing: { minIntervalMs: 1500, expectedMs: 1450 },
  notes: "The maker publishes no formula for lux. The community's is used, and its value marked `estimated`.",

  async identify(chip) {
    await expectId(chip, "TSL2591", ID, [0x50]);
    return {};
  },

  async open(chip, { gain: wanted, integration_time: timeMs }, { clock }) {
    let gain: Gain = wanted === "auto" ? "medium" : wanted;
    const measure = async (signal: AbortSignal) => {
      // Enabled anew, it starts a fresh integration, and what a brown-out erased is back.
      await chip.writeRegister(ENABLE, OFF);
      await chip.writeRegister(CONTROL, (GAIN[gain].code << 4) | (timeMs / 100 - 1));
      await chip.writeRegister(ENABLE, POWER_AND_LIGHT);
      const endMs = clock.monoMs() + timeMs * MAX_TIME_MARGIN;
      await clock.sleep(timeMs * TIME_MARGIN, signal);
      while (((await readByte(chip, STATUS)) & VALID) === 0) {
        if (clock.monoMs() >= endMs) throw new GatewayError("NOT_READY", "the chip has not finished its integration");
        await clock.sleep(POLL_MS, signal);
      }
      const counts = [await readWordLe(chip, CHANNEL_0), await readWordLe(chip, CHANNEL_1)] as const;
      await chip.writeRegister(ENABLE, OFF);
      return counts;
    };
    return {
      async read(signal) {
        let counts = await measure(signal);
        if (wanted === "auto" && gain !== "low" && Math.max(...counts) >= fullScale(timeMs)) {
          gain = "low";
          counts = await measure(signal);
        }
        const sample = decode(counts[0], counts[1], gain, timeMs);
        if (wanted === "auto" && counts[0] < DARK) gain = GAINS[GAINS.indexOf(gain) + 1] ?? gain;
        return sample;
      },
    };
  },
});

/** The shortest integration ends before the counter does. */
function fullScale(timeMs: number): number {
  return timeMs === 100 ? 36_863 : 65_535;
}

/** Channel 0 sees visible and infrared light, channel 1 infrared alone. */
export function decode(full: number, infrared: number, gain: Gain, timeMs: number): Sample {
  const countsPerLux = (timeMs * GAIN[gain].factor) / LUX_FACTOR;
  const lux = Math.max(full - 1.64 * infrared, 0.59 * full - 0.86 * infrared, 0) / countsPerLux;
  const end = fullScale(timeMs);
  return {
    values: { illuminance: lux, full, infrared },
    quality: {
      illuminance: Math.max(full, infrared) >= end ? "saturated" : "estimated",
      ...(full >= end && { full: "saturated" }),
      ...(infrared >= end && { infrared: "saturated" }),
    },
  };
}
