import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const STANDARD = 0x02;
const WARM_UP_MS = 180_000;

/** ENS160 (v1.1): new data each second in the standard mode, warming up for three minutes; reading the status clears new data. */
export function ens160Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  let startedMs = 0;
  let seconds = 0;
  const reset = () => {
    registers.fill(0);
    registers.set([0x60, 0x01], 0x00);
    registers[0x10] = 0x01;
  };
  reset();
  return byteRegisterChip({
    registers,
    update() {
      const elapsedMs = world.monoMs() - startedMs;
      if (registers[0x10] !== STANDARD || elapsedMs < (seconds + 1) * 1000) return;
      seconds = Math.floor(elapsedMs / 1000);
      const tvoc = coded(world.tvocPpb(), 0, 65_000);
      const eco2 = coded(400 + 2 * world.tvocPpb(), 400, 65_000);
      const validity = elapsedMs < WARM_UP_MS ? 1 : 0;
      const index = Math.min(5, 1 + Math.floor(tvoc / 200));
      registers.set([0x82 | (validity << 2), index, tvoc & 0xff, tvoc >> 8, eco2 & 0xff, eco2 >> 8], 0x20);
    },
    read(register) {
      if (register === 0x20) registers[0x20] = (registers[0x20] ?? 0) & ~0x02;
    },
    write(register, value) {
      if (register === 0x10 && value === 0xf0) return reset();
      if (register < 0x10 || register > 0x16) return;
      registers[register] = value;
      if (register !== 0x10) return;
      startedMs = world.monoMs();
      seconds = 0;
    },
  });
}
