import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

/** Of the board around the chip: up to 3.9 A through 0.02 Ω, though most boards carry 0.1. */
const SHUNT_OHM = 0.1;
const POWER_ON = 0x4127;
const AVERAGES = [1, 4, 16, 64, 128, 256, 512, 1024];

/** INA226 (SBOS547B): a triggered conversion of shunt and bus shows once it is done. */
export function ina226Chip(world: World): SimulatedChip {
  let config = POWER_ON;
  let doneMs = Number.POSITIVE_INFINITY;
  let shunt = 0;
  let bus = 0;
  const update = () => {
    if ((config & 0b111) !== 0b111 && world.monoMs() < doneMs) return;
    // A quarter of the supply's current: the chip ends at 81.92 mV.
    shunt = coded((world.currentA() / 4) * SHUNT_OHM * 400_000, -0x8000, 0x7fff) & 0xffff;
    bus = coded(world.voltageV() / 0.00125, 0, 0x7fff);
    doneMs = Number.POSITIVE_INFINITY;
  };
  return wordRegisterChip({
    read(register) {
      update();
      if (register === 0xfe) return 0x5449;
      if (register === 0xff) return 0x2260;
      return [config, shunt, bus, 0, 0, 0, 0, 0][register];
    },
    write(register, word) {
      if (register !== 0x00) return;
      config = word & 0x8000 ? POWER_ON : word;
      doneMs = world.monoMs() + 2 * 1.15 * (AVERAGES[(config >> 9) & 7] ?? 1);
    },
  });
}
