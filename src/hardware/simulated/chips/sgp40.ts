import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";
import { type SensirionCommand, sensirionCommandChip } from "./sensirion-commands.ts";

/** SGP40: more gas, fewer ticks. */
export function sgp40Chip(world: World): SimulatedChip {
  return sensirionCommandChip(world, new Map([...common(0x3220), [0x260f, measured(29, () => [vocTicks(world)])]]));
}

/** SGP41: conditioned for at most ten seconds before NOx is measured; longer would harm it, and is refused here. */
export function sgp41Chip(world: World): SimulatedChip {
  let conditionedMs: number | undefined;
  const condition = () => {
    conditionedMs ??= world.monoMs();
    if (world.monoMs() - conditionedMs > 10_000) throw nack();
    return [vocTicks(world)];
  };
  return sensirionCommandChip(
    world,
    new Map([
      ...common(0x0240),
      [0x2612, measured(49, condition)],
      [0x2619, measured(49, () => [vocTicks(world), noxTicks(world)])],
    ]),
  );
}

const vocTicks = (world: World) => coded(31_000 - 5 * world.tvocPpb(), 0, 65_535);
const noxTicks = (world: World) => coded(15_500 + world.tvocPpb() / 10, 0, 65_535);

function measured(takesMs: number, run: () => number[]): SensirionCommand {
  return { takesMs, words: 2, run };
}

function common(features: number): [number, SensirionCommand][] {
  return [
    [0x202f, { takesMs: 0.5, run: () => [features] }],
    [0x3682, { takesMs: 0.5, run: () => [0x0000, 0x02aa, 0xbbcc] }],
    [0x3615, { takesMs: 0.5 }],
  ];
}
