import type { SimulatedChip } from "../../src/hardware/simulated/chip.ts";

/** 256 registers of one byte and a pointer that increments: how most chips answer. */
export function registerChip(first: readonly number[]): SimulatedChip {
  const registers = Uint8Array.from({ length: 256 }, (_, index) => first[index] ?? 0);
  let pointer = 0;
  return {
    write([register = 0, ...bytes]) {
      pointer = register;
      for (const byte of bytes) registers[pointer++ & 0xff] = byte;
    },
    read: (length) => Uint8Array.from({ length }, () => registers[pointer++ & 0xff] ?? 0),
  };
}
