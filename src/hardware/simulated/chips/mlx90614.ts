import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

const ADDRESS = 0x5a;

/** MLX90614 (rev. 13) at its factory's address: three bytes after a command, the last of them the PEC. */
export function mlx90614Chip(world: World): SimulatedChip {
  let command = 0;
  const kelvinWord = (celsius: number) => coded((celsius + 273.15) * 50, 0, 0x7fff);
  const word = () => {
    if (command === 0x06) return kelvinWord(world.temperatureC());
    if (command === 0x07) return kelvinWord(world.temperatureC() + 11);
    if (command === 0x08) return kelvinWord(world.temperatureC() + 5);
    if (command >= 0x3c && command <= 0x3f) return 0x1100 + command;
    throw nack();
  };
  return {
    write(bytes) {
      if (bytes.length !== 1) throw nack();
      command = bytes[0] ?? 0;
    },
    read(length) {
      const value = word();
      const data = [value & 0xff, value >> 8];
      const bytes = [...data, pec([ADDRESS << 1, command, (ADDRESS << 1) | 1, ...data])];
      return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0xff);
    },
  };
}

/** By long division: the remainder of the message, with eight zeros behind, by x⁸ + x² + x + 1. */
function pec(bytes: readonly number[]): number {
  let remainder = 0;
  for (const bit of [...bytes, 0].flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((at) => (byte >> at) & 1))) {
    remainder = (remainder << 1) | bit;
    if (remainder & 0x100) remainder ^= 0x107;
  }
  return remainder;
}
