import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";
import { sensirionCrc } from "./sensirion.ts";

/** The slowest of the family, the SHT21 (datasheet v4, table 7). */
const TEMPERATURE_MS = 80;
const HUMIDITY_MS = 28;

/** A Si7021 as slow as an SHT21: it does not acknowledge a read while it measures, and has no measurement to give twice. */
export function htu21dChip(world: World): SimulatedChip {
  let user = 0x3a;
  let readyMs = Number.NEGATIVE_INFINITY;
  let answer: number[] | undefined;
  const word = (value: number, status: number) => {
    const bytes = [value >> 8, (value & 0xfc) | status];
    return [...bytes, sensirionCrc(bytes, 0x00)];
  };
  const measure = (bytes: number[], durationMs: number) => {
    answer = bytes;
    readyMs = world.monoMs() + durationMs;
  };
  return {
    write([command, value]) {
      if (world.monoMs() < readyMs) throw nack();
      answer = undefined;
      if (command === 0xf3) {
        measure(word(coded(((world.temperatureC() + 46.85) / 175.72) * 65536, 0, 65535), 0), TEMPERATURE_MS);
      } else if (command === 0xf5) {
        measure(word(coded(((world.humidityPercent() + 6) / 125) * 65536, 0, 65535), 2), HUMIDITY_MS);
      } else if (command === 0xe7) answer = [user];
      else if (command === 0xe6 && value !== undefined) user = value;
      else if (command === 0xfc && value === 0xc9) answer = [0x15, 0xff, sensirionCrc([0x15, 0xff], 0x00), 0xff, 0xff];
      else throw nack();
    },
    read(length) {
      if (world.monoMs() < readyMs || !answer) throw nack();
      const bytes = answer;
      answer = undefined;
      return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0xff);
    },
  };
}
