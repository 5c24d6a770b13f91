import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

const POWER_ON = 0x6127;
const AVERAGES = [1, 4, 16, 64, 128, 256, 512, 1024];

/** INA260 (SBOS656C): a triggered conversion of current and voltage shows once it is done. */
export function ina260Chip(world: World): SimulatedChip {
  let config = POWER_ON;
  let doneMs = Number.POSITIVE_INFINITY;
  let measured: readonly number[] = [0, 0, 0];
  const update = () => {
    if ((config & 0b111) !== 0b111 && world.monoMs() < doneMs) return;
    const current = coded(world.currentA() / 0.00125, -0x8000, 0x7fff);
    const voltage = coded(world.voltageV() / 0.00125, 0, 0x7fff);
    measured = [current & 0xffff, voltage, coded(Math.abs(world.voltageV() * world.currentA()) * 100, 0, 0xffff)];
    doneMs = Number.POSITIVE_INFINITY;
  };
  return wordRegisterChip({
    read(register) {
      update();
      if (register === 0xfe) return 0x5449;
      if (register === 0xff) return 0x2270;
      return [config, ...measured, 0, 0, 0, 0][register];
    },
    write(register, word) {
      if (register !== 0x00) return;
      config = word & 0x8000 ? POWER_ON : (word & 0x0fff) | 0x6000;
      doneMs = world.monoMs() + 2 * 1.15 * (AVERAGES[(config >> 9) & 7] ?? 1);
    },
  });
}
