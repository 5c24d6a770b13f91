import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

const GAINS = [1, 2, 0.125, 0.25];
const TIMES_MS = new Map([
  [0b1100, 25],
  [0b1000, 50],
  [0b0000, 100],
  [0b0001, 200],
  [0b0010, 400],
  [0b0011, 800],
]);

/** VEML7700 (Vishay 84286): words, low byte first. The counts stand still until a whole integration is done. */
export function veml7700Chip(world: World): SimulatedChip {
  let config = 0x0001;
  let startedMs = 0;
  let counts = 0;
  const timeMs = () => TIMES_MS.get((config >> 6) & 0xf) ?? 100;
  const update = () => {
    if ((config & 1) !== 0 || world.monoMs() < startedMs + 2.5 + timeMs()) return;
    const gain = GAINS[(config >> 11) & 3] ?? 1;
    counts = coded(world.illuminanceLx() / (0.0042 * (800 / timeMs()) * (2 / gain)), 0, 65_535);
  };
  return wordRegisterChip({
    littleEndian: true,
    read(register) {
      update();
      if (register === 0x00) return config;
      if (register === 0x04) return counts;
      if (register === 0x05) return Math.min(65_535, Math.round(counts * 1.9));
      if (register === 0x07) return 0xc481;
      return register < 0x07 ? 0 : undefined;
    },
    write(register, word) {
      if (register !== 0x00) return;
      config = word;
      startedMs = world.monoMs();
    },
  });
}
