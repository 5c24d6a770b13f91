import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";
import { scaledWord } from "./sensirion.ts";
import { sensirionCommandChip } from "./sensirion-commands.ts";

/** SCD41 (datasheet v1.5): while it measures it refuses everything but reading, readiness, pressure and the stop. */
export function scd4xChip(world: World): SimulatedChip {
  let periodMs = 0;
  let startedMs = 0;
  let readPeriods = 0;
  const periods = () => (periodMs === 0 ? 0 : Math.floor((world.monoMs() - startedMs) / periodMs));
  const start = (ms: number) => () => {
    idle();
    periodMs = ms;
    startedMs = world.monoMs();
    readPeriods = 0;
    return undefined;
  };
  const idle = () => {
    if (periodMs !== 0) throw nack();
  };
  const whileIdle = (words: readonly number[] | undefined) => () => {
    idle();
    return words;
  };
  return sensirionCommandChip(
    world,
    new Map([
      [0x21b1, { run: start(5000) }],
      [0x21ac, { run: start(30_000) }],
      [
        0x3f86,
        {
          takesMs: 500,
          run() {
            periodMs = 0;
            return undefined;
          },
        },
      ],
      [0xe4b8, { takesMs: 0.5, run: () => [periods() > readPeriods ? 0x8006 : 0x8000] }],
      [
        0xec05,
        {
          takesMs: 0.5,
          run() {
            if (periods() <= readPeriods) throw nack();
            readPeriods = periods();
            const co2 = coded(world.co2Ppm(), 0, 40_000);
            return [co2, scaledWord(world.temperatureC(), -45, 175), scaledWord(world.humidityPercent(), 0, 100)];
          },
        },
      ],
      [0x3682, { takesMs: 0.5, run: whileIdle([0xf896, 0x9f07, 0x3bbe]) }],
      [0x202f, { takesMs: 0.5, run: whileIdle([0x1440]) }],
      [0x241d, { words: 1, run: whileIdle(undefined) }],
      [0x2427, { words: 1, run: whileIdle(undefined) }],
      [0x2416, { words: 1, run: whileIdle(undefined) }],
      [0xe000, { words: 1 }],
    ]),
  );
}
