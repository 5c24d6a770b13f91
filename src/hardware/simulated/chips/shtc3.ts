import { nack, type SimulatedChip, type World } from "../chip.ts";
import { scaledWord } from "./sensirion.ts";
import { type SensirionCommand, sensirionCommandChip } from "./sensirion-commands.ts";

/** SHTC3 (datasheet v3): asleep it refuses everything but the command that wakes it. */
export function shtc3Chip(world: World): SimulatedChip {
  let isAwake = true;
  const whileAwake = (takesMs: number, words: () => number[]): SensirionCommand => ({
    takesMs,
    run() {
      if (!isAwake) throw nack();
      return words();
    },
  });
  const measured = () => [scaledWord(world.temperatureC(), -45, 175), scaledWord(world.humidityPercent(), 0, 100)];
  const set = (awake: boolean) => () => {
    if (!awake && !isAwake) throw nack();
    isAwake = awake;
    return undefined;
  };
  return sensirionCommandChip(
    world,
    new Map([
      [0x3517, { takesMs: 0.24, run: set(true) }],
      [0xb098, { run: set(false) }],
      [0xefc8, whileAwake(0.2, () => [0x0887])],
      [0x7866, whileAwake(10.8, measured)],
      [0x609c, whileAwake(0.7, measured)],
    ]),
  );
}
