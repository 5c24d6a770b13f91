import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

/** AMG8833: a warm spot in a room; zeros until the first frame. */
export function amg8833Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  let startedMs = world.monoMs();
  return byteRegisterChip({
    registers,
    update() {
      if (registers[0] !== 0 || world.monoMs() < startedMs + 150) return;
      for (let at = 0; at < 64; at++) {
        const warmer = at === 27 ? 9 : 0;
        const code = coded((world.temperatureC() + warmer) * 4, -220, 500) & 0xfff;
        registers.set([code & 0xff, code >> 8], 0x80 + 2 * at);
      }
      const code = coded((world.temperatureC() + 2) * 16, 0, 0x7ff);
      registers.set([code & 0xff, code >> 8], 0x0e);
    },
    write(register, value) {
      if (register > 0x03) return;
      registers[register] = value;
      if (register !== 0x01) return;
      startedMs = world.monoMs();
      registers.fill(0, 0x80);
    },
  });
}
