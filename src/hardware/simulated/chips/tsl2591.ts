import { nack, type SimulatedChip, type World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const GAINS = [1, 25, 428, 9876];
/** Of the light in a room, what channel 1 counts in relation to channel 0. */
const RATIO = 0.2;

/** TSL2591 (ams v1-02): every access carries the command bits 101; not valid until an integration is done. */
export function tsl2591Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(32);
  registers[0x12] = 0x50;
  let startedMs = Number.POSITIVE_INFINITY;
  const timeMs = () => (((registers[0x01] ?? 0) & 7) + 1) * 100;
  const chip = byteRegisterChip({
    registers,
    next: (register) => (register + 1) & 0x1f,
    update() {
      if (world.monoMs() < startedMs + timeMs() * 1.05) return;
      const gain = GAINS[((registers[0x01] ?? 0) >> 4) & 3] ?? 1;
      const full = ((world.illuminanceLx() / (1 - 1.64 * RATIO)) * timeMs() * gain) / 408;
      [full, full * RATIO].forEach((count, channel) => {
        const code = coded(count, 0, timeMs() === 100 ? 36_863 : 65_535);
        registers.set([code & 0xff, code >> 8], 0x14 + 2 * channel);
      });
      registers[0x13] = 1;
    },
    write(register, value) {
      if (register > 0x01) return;
      registers[register] = value;
      if (register !== 0x00) return;
      startedMs = (value & 3) === 3 ? world.monoMs() : Number.POSITIVE_INFINITY;
      registers[0x13] = 0;
    },
  });
  return {
    write([command = 0, ...values]) {
      if (command >> 5 !== 0b101) throw nack();
      chip.write(Uint8Array.of(command & 0x1f, ...values));
    },
    read: (length) => chip.read(length),
  };
}
