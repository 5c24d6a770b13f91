import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

/** ADXL345 (rev. G), lying flat: zeros while it stands by, and until its first measurement. */
export function adxl345Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(64);
  registers[0x00] = 0xe5;
  registers[0x2c] = 0x0a;
  let startedMs = Number.POSITIVE_INFINITY;
  return byteRegisterChip({
    registers,
    next: (register) => (register + 1) & 0x3f,
    update() {
      if (world.monoMs() < startedMs + 11.1) return;
      const range = 2 ** (((registers[0x31] ?? 0) & 3) + 1);
      const isFull = ((registers[0x31] ?? 0) & 0x08) !== 0;
      const perG = isFull ? 1 / 0.0039 : 512 / range;
      const end = isFull ? 256 * range : 512;
      [0.05, -0.02, 1].forEach((g, axis) => {
        const code = coded(g * perG, -end, end - 1) & 0xffff;
        registers.set([code & 0xff, code >> 8], 0x32 + 2 * axis);
      });
    },
    write(register, value) {
      if (register < 0x1d) return;
      registers[register] = value;
      if (register === 0x2d) startedMs = (value & 0x08) !== 0 ? world.monoMs() : Number.POSITIVE_INFINITY;
    },
  });
}
