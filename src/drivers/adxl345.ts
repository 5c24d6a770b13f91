import { z } from "zod";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { expectId, readByte, signedWordLe } from "./registers.ts";

/** Registers (Analog Devices ADXL345 rev. G, table 19). */
const DEVICE_ID = 0x00;
const RATE = 0x2c;
const POWER = 0x2d;
const FORMAT = 0x31;
const DATA = 0x32;
const FIFO = 0x38;
/** The data registers hold the latest, not the oldest of up to 32. */
const BYPASS = 0x00;
const ONE_HUNDRED_HERTZ = 0x0a;
const MEASURE = 0x08;
const FULL_RESOLUTION = 0x08;
const RANGE_CODE = { 2: 0, 4: 1, 8: 2, 16: 3 } as const;
/** At full resolution, whatever the range (table 1): 3.9 mg a step. */
const G_PER_STEP = 0.0039;
const STANDARD_GRAVITY = 9.80665;
/** Turn-on at 100 Hz (table 1): 1.1 ms and one period. */
const TURN_ON_MS = 12;

export const adxl345 = i2cDriver({
  name: "adxl345",
  title: "Analog Devices ADXL345: acceleration",
  manufacturer: "Analog Devices",
  model: "ADXL345",
  addresses: [0x53, 0x1d],
  options: { range: z.literal([2, 4, 8, 16]).default(16).describe("Full scale in g, plus and minus") },
  channels: {
    acceleration_x: { quantity: "acceleration", title: "Acceleration X", min: -160, max: 160 },
    acceleration_y: { quantity: "acceleration", title: "Acceleration Y", min: -160, max: 160 },
    acceleration_z: { quantity: "acceleration", title: "Acceleration Z", min: -160, max: 160 },
  },
  timing: { minIntervalMs: 20, expectedMs: 20 },
  notes:
    "One look at each reading: vibration between readings is not seen. At the end of its range a value is `saturated`.",

  async identify(chip) {
    await expectId(chip, "ADXL345", DEVICE_ID, [0xe5]);
    return {};
  },

  async open(chip, { range }, { clock }) {
    const format = FULL_RESOLUTION | RANGE_CODE[range];
    const configure = async (signal?: AbortSignal) => {
      await chip.writeRegister(RATE, ONE_HUNDRED_HERTZ);
      await chip.writeRegister(FORMAT, format);
      // It has no reset: what another program chose stays until the power goes.
      await chip.writeRegister(FIFO, BYPASS);
      await chip.writeRegister(POWER, MEASURE);
      await clock.sleep(TURN_ON_MS, signal);
    };
    await configure();
    return {
      async read(signal) {
        // Reset, it stands by.
        if ((await readByte(chip, POWER)) !== MEASURE || (await readByte(chip, FORMAT)) !== format)
          await configure(signal);
        return decode(await chip.readRegister(DATA, 6), range);
      },
    };
  },
});

/** Three words, least significant byte first, in m/s². */
export function decode(bytes: Uint8Array, range: number): Sample {
  // 10 bits at 2 g, one more each time the range doubles.
  const full = 256 * range;
  const axes = ["x", "y", "z"].map((axis, index) => {
    const steps = signedWordLe(bytes, 2 * index);
    return { key: `acceleration_${axis}`, steps, isSaturated: steps >= full - 1 || steps <= -full };
  });
  const values = Object.fromEntries(axes.map(({ key, steps }) => [key, steps * G_PER_STEP * STANDARD_GRAVITY]));
  const saturated = axes.filter(({ isSaturated }) => isSaturated).map(({ key }) => [key, "saturated"] as const);
  return saturated.length > 0 ? { values, quality: Object.fromEntries(saturated) } : { values };
}
