import { nack, type SimulatedChip, type World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const TIMES_MS = [13.7, 101, 402];
const CYCLES = [11, 81, 322];
const FULL = [5047, 37_177, 65_535];
/** Of the light in a room, what channel 1 counts in relation to channel 0. */
const RATIO = 0.2;
/** Counts of channel 0 a lux at gain 16 and 402 ms, for this ratio (TAOS059N, package T). */
const COUNTS_PER_LUX = 1 / (0.0304 - 0.062 * RATIO ** 1.4);

/** TSL2561T: every access needs the command bit; the counts are 0 until an integration after power-up is done. */
export function tsl2561Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(16);
  registers[0x0a] = 0x50;
  registers[0x01] = 0x02;
  let startedMs = Number.POSITIVE_INFINITY;

  const update = () => {
    const timing = registers[0x01] ?? 0;
    const step = timing & 3;
    if (world.monoMs() < startedMs + (TIMES_MS[step] ?? 0) * 1.06) return;
    const scale = ((CYCLES[step] ?? 0) / 322) * (timing & 0x10 ? 1 : 1 / 16);
    const counts = world.illuminanceLx() * COUNTS_PER_LUX * scale;
    [counts, counts * RATIO].forEach((count, channel) => {
      const code = coded(count, 0, FULL[step] ?? 0);
      registers.set([code & 0xff, code >> 8], 0x0c + 2 * channel);
    });
  };

  const chip = byteRegisterChip({
    registers,
    update,
    write(register, value) {
      if (register > 0x06) return;
      registers[register] = register === 0 ? value & 3 : value;
      if (register !== 0) return;
      startedMs = (value & 3) === 3 ? world.monoMs() : Number.POSITIVE_INFINITY;
      if ((value & 3) === 3) registers.fill(0, 0x0c);
    },
  });
  return {
    write([command = 0, ...values]) {
      if ((command & 0x80) === 0) throw nack();
      chip.write(Uint8Array.of(command & 0xf, ...values));
    },
    read: (length) => chip.read(length),
  };
}
