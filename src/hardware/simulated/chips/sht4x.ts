import { nack, type SimulatedChip, type World } from "../chip.ts";
import { scaledWord, sensirionWord } from "./sensirion.ts";

/** Typical durations (datasheet SHT4x v6, §3.2 table 5): the driver must wait for the longest. */
const MEASUREMENT_MS: Readonly<Record<number, number>> = { 253: 6.9, 246: 3.7, 224: 1.3 };
const READ_SERIAL = 0x89;
const SOFT_RESET = 0x94;
const RESET_MS = 1;
const SERIAL = [0x0f1e, 0x2d3c];

/**
 * SHT40, SHT41, SHT43, SHT45. One command byte, then a read of 6 bytes; it does not acknowledge while it measures, nor a
 * read for which it has no data (§4.4). The heater is not modelled.
 */
export function sht4xChip(world: World): SimulatedChip {
  let readyMs = Number.NEGATIVE_INFINITY;
  let answer: number[] | undefined;

  const measured = () => [
    ...sensirionWord(scaledWord(world.temperatureC(), -45, 175)),
    ...sensirionWord(scaledWord(world.humidityPercent(), -6, 125)),
  ];

  const execute = (command: number | undefined) => {
    answer = undefined;
    const durationMs = MEASUREMENT_MS[command ?? -1];
    if (durationMs !== undefined) {
      answer = measured();
      readyMs = world.monoMs() + durationMs;
    } else if (command === READ_SERIAL) {
      answer = SERIAL.flatMap(sensirionWord);
    } else if (command === SOFT_RESET) {
      readyMs = world.monoMs() + RESET_MS;
    }
  };

  return {
    write(bytes) {
      if (world.monoMs() < readyMs) throw nack();
      execute(bytes[0]);
    },
    read(length) {
      if (world.monoMs() < readyMs || !answer) throw nack();
      const bytes = Uint8Array.from({ length }, (_, index) => answer?.[index] ?? 0xff);
      answer = undefined;
      return bytes;
    },
  };
}
