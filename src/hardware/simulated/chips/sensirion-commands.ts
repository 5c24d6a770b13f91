import { nack, type SimulatedChip, type World } from "../chip.ts";
import { sensirionWord } from "./sensirion.ts";

export interface SensirionCommand {
  /** Until the chip acknowledges again, and its answer can be read. */
  readonly takesMs?: number;
  /** How many words must follow, each with its CRC. */
  readonly words?: number;
  /** What the command does, and the words it answers; undefined where it has nothing to answer. Throws `nack()`. */
  run?(words: readonly number[]): readonly number[] | undefined;
}

/**
 * A chip of 16-bit commands with CRC: no acknowledge for a command that it does not have, for words that are missing or
 * damaged, while it is busy, or for a read without data.
 */
export function sensirionCommandChip(
  world: Pick<World, "monoMs">,
  commands: ReadonlyMap<number, SensirionCommand>,
): SimulatedChip {
  let readyMs = Number.NEGATIVE_INFINITY;
  let answer: readonly number[] | undefined;
  const refuseWhileBusy = () => {
    if (world.monoMs() < readyMs) throw nack();
  };
  return {
    write([high = 0, low = 0, ...frame]) {
      refuseWhileBusy();
      const command = commands.get((high << 8) | low);
      if (!command || frame.length !== 3 * (command.words ?? 0)) throw nack();
      const words = checked(frame);
      readyMs = world.monoMs() + (command.takesMs ?? 0);
      answer = command.run?.(words)?.flatMap(sensirionWord);
    },
    read(length) {
      refuseWhileBusy();
      if (!answer) throw nack();
      const bytes = Uint8Array.from({ length }, (_, index) => answer?.[index] ?? 0xff);
      answer = undefined;
      return bytes;
    },
  };
}

function checked(frame: readonly number[]): number[] {
  return Array.from({ length: frame.length / 3 }, (_, index) => {
    const [high = 0, low = 0, crc] = frame.slice(3 * index);
    const word = (high << 8) | low;
    if (sensirionWord(word)[2] !== crc) throw nack();
    return word;
  });
}
