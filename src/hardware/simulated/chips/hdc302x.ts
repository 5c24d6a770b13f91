import type { SimulatedChip, World } from "../chip.ts";
import { scaledWord } from "./sensirion.ts";
import { sensirionCommandChip } from "./sensirion-commands.ts";

/** HDC3020 (SNAS778D), on demand; the automatic mode is not modelled. */
export function hdc302xChip(world: World): SimulatedChip {
  const measured = () => [scaledWord(world.temperatureC(), -45, 175), scaledWord(world.humidityPercent(), 0, 100)];
  return sensirionCommandChip(
    world,
    new Map([
      [0x3781, { run: () => [0x3000] }],
      [0x3683, { run: () => [0x1a2b] }],
      [0x3684, { run: () => [0x3c4d] }],
      [0x3685, { run: () => [0x5e6f] }],
      [0xf32d, { run: () => [0x8010] }],
      [0x3093, { takesMs: 1, run: () => undefined }],
      [0x3066, { run: () => undefined }],
      [0x2400, { takesMs: 14.2, run: measured }],
    ]),
  );
}
