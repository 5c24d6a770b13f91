import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip } from "./registers.ts";

/** AS5600 (v1-06) over a magnet that turns; its zero is at the raw angle's 90°. */
export function as5600Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  return byteRegisterChip({
    registers,
    update() {
      const raw = Math.floor((world.angleDegrees() / 360) * 4096) & 0xfff;
      const scaled = (raw + 4096 - 1024) & 0xfff;
      registers[0x0b] = 0x20;
      registers.set([raw >> 8, raw & 0xff, scaled >> 8, scaled & 0xff], 0x0c);
    },
    write() {},
    // Set to the high byte of an angle, the pointer stays with it.
    next: (register) => (register === 0x0d || register === 0x0f ? register - 1 : register + 1),
  });
}
