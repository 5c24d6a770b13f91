import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";
import { type SensirionCommand, sensirionCommandChip } from "./sensirion-commands.ts";

/** SGP30 (datasheet v1): measures only once it is initialized, and shows 400 ppm and 0 ppb for 15 s. */
export function sgp30Chip(world: World): SimulatedChip {
  let startedMs: number | undefined;
  let baseline = [0x8a00, 0x8b00];
  const measure = () => {
    if (startedMs === undefined) throw nack();
    if (world.monoMs() - startedMs < 15_000) return [400, 0];
    return [coded(400 + world.tvocPpb() * 2, 400, 60_000), coded(world.tvocPpb(), 0, 60_000)];
  };
  return sensirionCommandChip(
    world,
    new Map<number, SensirionCommand>([
      [
        0x2003,
        {
          takesMs: 9,
          run() {
            startedMs = world.monoMs();
            return undefined;
          },
        },
      ],
      [0x2008, { takesMs: 11.5, run: measure }],
      [0x2015, { takesMs: 9, run: () => baseline }],
      [
        0x201e,
        {
          takesMs: 9,
          words: 2,
          run([tvoc = 0, eco2 = 0]) {
            baseline = [eco2, tvoc];
            return undefined;
          },
        },
      ],
      [0x2061, { takesMs: 9, words: 1 }],
      [0x202f, { takesMs: 9, run: () => [0x0022] }],
      [0x3682, { takesMs: 0.5, run: () => [0x0000, 0x01b2, 0xc3d4] }],
    ]),
  );
}
