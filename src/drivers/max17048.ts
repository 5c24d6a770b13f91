import type { Values } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readWord, signed, writeWord } from "./registers.ts";

/** Registers (Maxim MAX17048 rev. 7, table 2). */
const CELL = 0x02;
const CHARGE = 0x04;
const VERSION = 0x08;
const RATE = 0x16;
const STATUS = 0x1a;
/** Set by a reset until the host clears it. */
const RESET_INDICATOR = 0x0100;
/** Power-on until the first estimate of the charge. */
const STARTUP_MS = 1000;

export const max17048 = i2cDriver({
  name: "max17048",
  aliases: ["max17049"],
  title: "Maxim MAX17048: charge of a lithium cell",
  manufacturer: "Maxim Integrated",
  model: "MAX17048",
  addresses: [0x36],
  options: {},
  channels: {
    voltage: { quantity: "voltage", min: 0, max: 5.12 },
    battery: { quantity: "battery", min: 0, max: 100 },
    charge_rate: { quantity: "charge_rate", min: -6820, max: 6820 },
  },
  timing: { minIntervalMs: 500, expectedMs: 50 },
  notes:
    "An AS5600 has the same address: the version tells. A MAX17049 measures two cells, and gives the voltage of one.",

  async identify(chip) {
    const version = await readWord(chip, VERSION);
    if ((version & 0xfff0) !== 0x0010) throw mismatch(chip, "MAX17048", `its version is ${hex(version, 4)}`);
    return {};
  },

  async open(chip, _options, { clock }) {
    /** Waits for the first estimate, and whether the mark of the reset could be cleared. */
    const start = async (signal?: AbortSignal): Promise<boolean> => {
      const status = await readWord(chip, STATUS);
      await clock.sleep(STARTUP_MS, signal);
      if ((status & RESET_INDICATOR) !== 0) await writeWord(chip, STATUS, status & ~RESET_INDICATOR);
      return !(await wasReset());
    };
    const wasReset = async () => ((await readWord(chip, STATUS)) & RESET_INDICATOR) !== 0;
    const tellsReset = await start();
    return {
      async read(signal) {
        // Reset, it shows 0 % until its first estimate.
        if (tellsReset && (await wasReset())) await start(signal);
        return { values: decode(await readWord(chip, CELL), await readWord(chip, CHARGE), await readWord(chip, RATE)) };
      },
    };
  },
});

/** 78.125 µV, 256ths of a per cent, and 0.208 % an hour a step. The estimate may go past 100 %, and is cut there. */
export function decode(cell: number, charge: number, rate: number): Values {
  return {
    voltage: (cell * 78.125) / 1e6,
    battery: Math.min(100, charge / 256),
    charge_rate: signed(rate) * 0.208,
  };
}
