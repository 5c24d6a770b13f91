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
  oversamplingCode,
  REGISTER,
  reset,
  TRIMMING_LENGTH,
  type Trimming,
  untilIdle,
  writeEach,
} from "./bosch-280.ts";
import { i2cDriver, sampleOf } from "./driver.ts";

const ID = 0x60;
const DATA_LENGTH = 8;

export const bme280 = i2cDriver({
  name: "bme280",
  title: "Bosch BME280: temperature, humidity and pressure",
  manufacturer: "Bosch Sensortec",
  model: "BME280",
  addresses: [0x76, 0x77],
  options: bosch280Options,
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 85 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
    pressure: { quantity: "pressure", min: 300, max: 1100 },
  },
  noisy: ["temperature", "pressure"],
  timing: { minIntervalMs: 200, expectedMs: 150 },
  notes: "Boards sold as BME280 often carry a BMP280, which has no humidity: the id tells, and `scan` says so.",

  identify: (chip) => identify280(chip, "BME280", [ID]),

  async open(chip, { oversampling, filter }, context) {
    await reset(chip, context);
    const trimming = decodeTrimming(await chip.readRegister(REGISTER.trimming, TRIMMING_LENGTH));
    const [H1 = 0] = await chip.readRegister(REGISTER.trimmingH1, 1);
    const humidityTrimming = decodeHumidityTrimming(H1, await chip.readRegister(REGISTER.trimmingH2, 7));
    // All of them each time: what a brown-out erased is back with the next read.
    const start = [
      // Takes effect with the write to ctrl_meas that follows (§5.4.3).
      [REGISTER.ctrlHum, oversamplingCode(oversampling)],
      [REGISTER.ctrlMeas, forcedMeasurement(oversampling)],
    ] as const;
    return {
      async read(signal) {
        await ensureFilter(chip, filter);
        await writeEach(chip, start);
        await context.clock.sleep(measurementMs(oversampling, 3), signal);
        await untilIdle(chip, context, signal);
        return { values: decode(await chip.readRegister(REGISTER.data, DATA_LENGTH), trimming, humidityTrimming) };
      },
    };
  },
});

/** H1 to H6 by the datasheet's names (§4.2.2, table 16). */
export type HumidityTrimming = readonly [number, number, number, number, number, number];

/**
 * 0xE1 to 0xE7: H2, H3, then H4 and H5, signed and of 12 bits, which share 0xE5: its lower half ends H4, its upper half
 * starts H5 (§4.2.2, table 16). H1 stands apart at 0xA1.
 */
export function decodeHumidityTrimming(H1: number, bytes: Uint8Array): HumidityTrimming {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const H4 = (view.getInt8(3) << 4) | (view.getUint8(4) & 0x0f);
  const H5 = (view.getInt8(5) << 4) | (view.getUint8(4) >> 4);
  return [H1, view.getInt16(0, true), view.getUint8(2), H4, H5, view.getInt8(6)];
}

/** What a skipped humidity measurement reads as (§5.4.3). */
const NO_DATA_16_BIT = 0x8000;

/** 0xF7 to 0xFE (§5.4.7 to §5.4.9): pressure, temperature, humidity. Throws BAD_VALUE. */
export function decode(data: Uint8Array, trimming: Trimming, humidityTrimming: HumidityTrimming): Values {
  const [msb = 0, lsb = 0] = data.subarray(6);
  const humidity = (msb << 8) | lsb;
  const pressure = decode20(data);
  const fine = fineTemperature(decode20(data.subarray(3)), trimming);
  return sampleOf({
    temperature: celsius(fine),
    humidity: humidity === NO_DATA_16_BIT ? undefined : relativeHumidity(humidity, fine, humidityTrimming),
    pressure: pressure === undefined ? undefined : hectopascal(pressure, fine, trimming),
  }).values;
}

/** Relative humidity in per cent, cut at 0 and 100 as the datasheet does (§8.1). */
export function relativeHumidity(code: number, fine: number, [H1, H2, H3, H4, H5, H6]: HumidityTrimming): number {
  const centred = fine - 76800;
  const gain = (H2 / 65536) * (1 + (H6 / 67108864) * centred * (1 + (H3 / 67108864) * centred));
  const linear = (code - (H4 * 64 + (H5 / 16384) * centred)) * gain;
  return Math.min(100, Math.max(0, linear * (1 - (H1 * linear) / 524288)));
}
