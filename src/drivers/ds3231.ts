import { GatewayError } from "../core/errors.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch } from "./registers.ts";

/** Registers (Maxim DS3231 rev. 10, figure 1): status, aging, temperature. */
const STATUS = 0x0f;
const UNUSED_OF_STATUS = 0x70;
const UNUSED_OF_FRACTION = 0x3f;
const BUSY = 0x04;
/** The longest conversion. The first, after power-on, shows 0 °C until it is done. */
const CONVERSION_MS = 200;
const LOOKS = 3;

export const ds3231 = i2cDriver({
  name: "ds3231",
  title: "Maxim DS3231: the temperature of a real-time clock",
  manufacturer: "Maxim Integrated",
  model: "DS3231",
  addresses: [0x68],
  weakIdentity: true,
  options: {},
  channels: { temperature: { quantity: "temperature", min: -40, max: 85 } },
  timing: { minIntervalMs: 1000, expectedMs: 220, defaultIntervalMs: 60_000 },
  notes: "It measures every 64 s. With the overlay `i2c-rtc` the kernel owns it: take `hwmon` then.",

  async identify(chip) {
    const [status = 0, , , fraction = 0] = await chip.readRegister(STATUS, 4);
    if ((status & UNUSED_OF_STATUS) === 0 && (fraction & UNUSED_OF_FRACTION) === 0) return {};
    throw mismatch(chip, "DS3231", `bits that are always 0 are not: ${hex(status)} and ${hex(fraction)}`);
  },

  async open(chip, _options, { clock }) {
    return {
      async read(signal) {
        for (let look = 0; look < LOOKS; look++) {
          const [status = 0, , whole = 0, fraction = 0] = await chip.readRegister(STATUS, 4);
          if ((status & UNUSED_OF_STATUS) !== 0 || (fraction & UNUSED_OF_FRACTION) !== 0) {
            throw new GatewayError("BAD_VALUE", `bits that are always 0 are not: ${hex(status)} and ${hex(fraction)}`);
          }
          if ((status & BUSY) === 0) return { values: { temperature: decode(whole, fraction) } };
          await clock.sleep(CONVERSION_MS, signal);
        }
        throw new GatewayError("NOT_READY", `still converting after ${LOOKS * CONVERSION_MS} ms`);
      },
    };
  },
});

/** Two's complement, and quarters of a degree in the upper two bits ("Temperature Registers"). */
export function decode(whole: number, fraction: number): number {
  return ((whole << 24) >> 24) + (fraction >> 6) / 4;
}
