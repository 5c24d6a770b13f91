import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

const AVERAGES = [1, 8, 32, 64];
const DATA_READY = 0x2000;

/** TMP117 (SNOSD82D): -256 °C until a conversion is done; a read of the temperature clears data ready. */
export function tmp117Chip(world: World): SimulatedChip {
  let config = 0x0220;
  let temperature = 0x8000;
  let doneMs = world.monoMs() + 1000;
  const update = () => {
    if (world.monoMs() < doneMs) return;
    temperature = coded(world.temperatureC() * 128, -0x8000, 0x7fff) & 0xffff;
    config |= DATA_READY;
    // One shot, then shutdown (§7.4.3).
    if ((config & 0x0c00) === 0x0c00) config = (config & ~0x0c00) | 0x0400;
    doneMs = (config & 0x0c00) === 0x0400 ? Number.POSITIVE_INFINITY : world.monoMs() + 1000;
  };
  return wordRegisterChip({
    read(register) {
      update();
      if (register === 0x0f) return 0x0117;
      if (register > 0x0f) return undefined;
      if (register === 0x01) {
        const shown = config;
        config &= ~DATA_READY;
        return shown;
      }
      if (register === 0x00) config &= ~DATA_READY;
      return register === 0x00 ? temperature : 0;
    },
    write(register, word) {
      if (register !== 0x01) return;
      config = word & 0x0ffc;
      doneMs = (word & 0x0c00) === 0x0400 ? Number.POSITIVE_INFINITY : world.monoMs() + 15.5 * averages(word);
    },
  });
}

function averages(config: number): number {
  return AVERAGES[(config >> 5) & 3] ?? 1;
}
