import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { identifyTi } from "./ina2xx.ts";
import { bigEndian, writeWord } from "./registers.ts";

/** Registers (SNAS672A, §8.6). */
const TEMPERATURE = 0x00;
const CONFIG = 0x02;
/** Both, one after the other, at 14 bits, heater off: also what it is after power-on. */
const BOTH_14_BITS = 0x1000;
/** 6.35 ms and 6.5 ms typically (§7.5), and nothing said of the longest. */
const MEASUREMENT_MS = 20;
const STARTUP_MS = 15;

export const hdc1080 = i2cDriver({
  name: "hdc1080",
  aliases: ["hdc1000", "hdc1008"],
  title: "Texas Instruments HDC1080 and HDC1000: temperature and humidity",
  manufacturer: "Texas Instruments",
  model: "HDC1080",
  addresses: [0x40, 0x41, 0x42, 0x43],
  options: {},
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 125 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  timing: { minIntervalMs: 200, expectedMs: 60 },
  notes: "HTU21D, Si7021 and INA219 can have the same address: the id tells.",

  async identify(chip) {
    await identifyTi(chip, "HDC1080", 0x1000, 0xffaf);
    return {};
  },

  async open(chip, _options, { clock }) {
    await clock.sleep(STARTUP_MS);
    return {
      async read(signal) {
        await writeWord(chip, CONFIG, BOTH_14_BITS);
        // The pointer starts the measurement, and a stop must follow it: no repeated start (§8.5.1).
        await chip.write([TEMPERATURE]);
        await clock.sleep(MEASUREMENT_MS, signal);
        return { values: decode(await chip.read(4)) };
      },
    };
  },
});

/** What a register shows that has no result: the two lowest bits of one that has are 0 (§8.6.1, §8.6.2). */
const NO_RESULT = 0xffff;

/**
 * Two words. Throws BAD_VALUE where they are not a measurement: without a checksum, a reset (both registers are 0 then,
 * table 1) would be -40 °C and 0 %, and a bus that stays high 125 °C and 100 %.
 */
export function decode(bytes: Uint8Array): Values {
  const temperature = bigEndian(bytes.subarray(0, 2));
  const humidity = bigEndian(bytes.subarray(2, 4));
  if (temperature === NO_RESULT || humidity === NO_RESULT) {
    throw new GatewayError("BAD_VALUE", "the chip has no measurement to show");
  }
  if (temperature === 0 && humidity === 0) {
    throw new GatewayError("BAD_VALUE", "the chip has no measurement to show: it was reset");
  }
  return { temperature: (temperature / 65536) * 165 - 40, humidity: (humidity / 65536) * 100 };
}
