import type { Values } from "../core/reading.ts";
import {
  bosch280Options,
  celsius,
  decode20,
  decodeTrimming,
  ensureFilter,
  fineTemperature,
  forcedMeasurement,
  hectopascal,
  identify280,
  measurementMs,
  REGISTER,
  reset,
  TRIMMING_LENGTH,
  type Trimming,
  untilIdle,
} from "./bosch-280.ts";
import { i2cDriver, sampleOf } from "./driver.ts";

/** Engineering samples carried 0x56 and 0x57; they are still sold. */
const IDS = [0x58, 0x56, 0x57];
const DATA_LENGTH = 6;

export const bmp280 = i2cDriver({
  name: "bmp280",
  title: "Bosch BMP280: pressure and temperature",
  manufacturer: "Bosch Sensortec",
  model: "BMP280",
  addresses: [0x76, 0x77],
  options: bosch280Options,
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 85 },
    pressure: { quantity: "pressure", min: 300, max: 1100 },
  },
  noisy: ["temperature", "pressure"],
  timing: { minIntervalMs: 200, expectedMs: 120 },

  identify: (chip) => identify280(chip, "BMP280", IDS),

  async open(chip, { oversampling, filter }, context) {
    await reset(chip, context);
    const trimming = decodeTrimming(await chip.readRegister(REGISTER.trimming, TRIMMING_LENGTH));
    return {
      async read(signal) {
        // All of it each time: what a brown-out erased is back with the next read.
        await ensureFilter(chip, filter);
        await chip.writeRegister(REGISTER.ctrlMeas, forcedMeasurement(oversampling));
        await context.clock.sleep(measurementMs(oversampling, 2), signal);
        await untilIdle(chip, context, signal);
        return { values: decode(await chip.readRegister(REGISTER.data, DATA_LENGTH), trimming) };
      },
    };
  },
});

/** 0xF7 to 0xFC (§4.3.6, §4.3.7): pressure, temperature. Throws BAD_VALUE. */
export function decode(data: Uint8Array, trimming: Trimming): Values {
  const fine = fineTemperature(decode20(data.subarray(3)), trimming);
  const pressure = decode20(data);
  return sampleOf({
    temperature: celsius(fine),
    pressure: pressure === undefined ? undefined : hectopascal(pressure, fine, trimming),
  }).values;
}
