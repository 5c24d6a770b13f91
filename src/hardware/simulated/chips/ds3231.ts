import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const PERIOD_MS = 64_000;
const CONVERSION_MS = 180;
const BUSY = 0x04;

/** DS3231 (rev. 10): measures every 64 s; bits without a use read 0. The clock itself stands still here. */
export function ds3231Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(0x13);
  registers[0x0e] = 0x1c;
  registers[0x0f] = 0x88 | BUSY;
  let dueMs = world.monoMs() + CONVERSION_MS;
  return byteRegisterChip({
    registers,
    next: (register) => (register + 1) % 0x13,
    update() {
      if (world.monoMs() < dueMs) return;
      registers[0x0f] = (registers[0x0f] ?? 0) & ~BUSY;
      const quarters = coded(world.temperatureC() * 4, -512, 511);
      registers.set([(quarters >> 2) & 0xff, (quarters & 3) << 6], 0x11);
      dueMs = world.monoMs() + PERIOD_MS;
    },
    write(register, value) {
      if (register < 0x11) registers[register] = value;
    },
  });
}
