import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

const SHUNT_OHM = 0.1;
const POWER_ON = 0x7127;
const AVERAGES = [1, 4, 16, 64, 128, 256, 512, 1024];

/** INA3221 (SBOS576B): channel 2 carries half of the supply's current, backwards, channel 3 a quarter. */
export function ina3221Chip(world: World): SimulatedChip {
  let config = POWER_ON;
  let doneMs = Number.POSITIVE_INFINITY;
  let measured: number[] = [0, 0, 0, 0, 0, 0];
  const word = (steps: number) => (coded(steps, -4096, 4095) << 3) & 0xffff;
  const enabled = () => [0x4000, 0x2000, 0x1000].filter((bit) => (config & bit) !== 0).length;
  const update = () => {
    if ((config & 0b111) !== 0b111 && world.monoMs() < doneMs) return;
    measured = [1, -0.5, 0.25].flatMap((share, channel) => {
      if ((config & (0x4000 >> channel)) === 0) return measured.slice(2 * channel, 2 * channel + 2);
      return [word((world.currentA() * share * SHUNT_OHM) / 0.00004), word(world.voltageV() / 0.008)];
    });
    doneMs = Number.POSITIVE_INFINITY;
  };
  return wordRegisterChip({
    read(register) {
      update();
      if (register === 0xfe) return 0x5449;
      if (register === 0xff) return 0x3220;
      return [config, ...measured][register] ?? (register < 0x12 ? 0 : undefined);
    },
    write(register, value) {
      if (register !== 0x00) return;
      config = value & 0x8000 ? POWER_ON : value;
      doneMs = world.monoMs() + 2 * 1.15 * enabled() * (AVERAGES[(config >> 9) & 7] ?? 1);
    },
  });
}
