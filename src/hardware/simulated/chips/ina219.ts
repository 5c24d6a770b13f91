import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

/** Of the board around the chip. */
const SHUNT_OHM = 0.1;
const POWER_ON = 0x399f;
const RANGES_MV = [40, 80, 160, 320];

/** INA219 (SBOS448G): a triggered conversion shows once it is done; reset, it converts on its own. No id registers. */
export function ina219Chip(world: World): SimulatedChip {
  let config = POWER_ON;
  let calibration = 0;
  let doneMs = Number.POSITIVE_INFINITY;
  let shunt = 0;
  let bus = 0;

  const samples = (code: number) => (code & 0b1000 ? 2 ** (code & 0b111) : 1);
  const update = () => {
    const isContinuous = (config & 0b111) === 0b111;
    if (!isContinuous && world.monoMs() < doneMs) return;
    const range = (RANGES_MV[(config >> 11) & 3] ?? 0) * 100;
    shunt = coded(world.currentA() * SHUNT_OHM * 100_000, -range, range) & 0xffff;
    // Conversion ready is bit 1.
    bus = (coded(world.voltageV() / 0.004, 0, 8000) << 3) | 0b10;
    doneMs = Number.POSITIVE_INFINITY;
  };
  return wordRegisterChip({
    read(register) {
      update();
      if (register > 0x05) return 0;
      return [config, shunt, bus, 0, 0, calibration][register];
    },
    write(register, word) {
      if (register === 0x05) calibration = word & 0xfffe;
      if (register !== 0x00) return;
      config = word & 0x8000 ? POWER_ON : word;
      bus &= ~0b10;
      doneMs = world.monoMs() + 0.55 * (samples((config >> 7) & 0xf) + samples((config >> 3) & 0xf));
    },
  });
}
