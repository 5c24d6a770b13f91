import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import type { DriverContext } from "./driver.ts";
import { hex, mismatch, readWord, writeWord } from "./registers.ts";

/** What Texas Instruments' current and power monitors have in common. */

const CONFIG = 0x00;
const MANUFACTURER = 0xfe;
const DIE = 0xff;
const TEXAS_INSTRUMENTS = 0x5449;

export const shuntOption = z
  .number()
  .positive()
  .max(100)
  .default(0.1)
  .describe("Resistance of the shunt in ohms: 0.1 on most boards (R100)");

export const averagingNote = "Measurements averaged for one reading: the more, the less noise, and the longer it takes";

/** Throws CHIP_MISMATCH unless the manufacturer's id is there, and the die's in the bits of `mask`. */
export async function identifyTi(chip: I2cDevice, wanted: string, die: number, mask = 0xffff): Promise<void> {
  const manufacturer = await readWord(chip, MANUFACTURER);
  const found = await readWord(chip, DIE);
  if (manufacturer === TEXAS_INSTRUMENTS && (found & mask) === die) return;
  throw mismatch(chip, wanted, `its ids are ${hex(manufacturer, 4)} and ${hex(found, 4)}`);
}

/** The INA219 has no id: CHIP_MISMATCH where another of the family answers. */
export async function refuseTi(chip: I2cDevice, wanted: string): Promise<void> {
  if ((await readWord(chip, MANUFACTURER)) !== TEXAS_INSTRUMENTS) return;
  throw mismatch(chip, wanted, `it has the ids of an INA226, INA260, INA3221 or HDC1080`);
}

/**
 * One measurement of everything that `config` enables, which is set each time: what a brown-out erased is back with the
 * next read. One that happens meanwhile shows, because the configuration is then another: BAD_VALUE.
 */
export async function trigger(
  chip: I2cDevice,
  config: number,
  waitMs: number,
  { clock }: DriverContext,
  signal: AbortSignal,
): Promise<void> {
  await writeWord(chip, CONFIG, config);
  await clock.sleep(waitMs, signal);
  const found = await readWord(chip, CONFIG);
  if (found === config) return;
  throw new GatewayError("BAD_VALUE", `the configuration reads ${hex(found, 4)}: the chip was reset meanwhile`);
}

/** Current and power are computed here: the chips' own registers need a calibration, and round to it. */
export function powerSample(voltage: number, shuntV: number, shuntOhm: number, isSaturated: boolean): Sample {
  const current = shuntV / shuntOhm;
  const values = { voltage, shunt_voltage: shuntV, current, power: voltage * current };
  if (!isSaturated) return { values };
  return { values, quality: { shunt_voltage: "saturated", current: "saturated", power: "saturated" } };
}
