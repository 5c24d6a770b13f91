import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const GAINS = [1, 3, 6, 9, 18];
const BITS = [20, 19, 18, 17, 16, 13];
const TIMES_MS = [400, 200, 100, 50, 25, 12.5];
const DATA_READY = 0x08;

/** LTR-390UV (v1.1): measures one of the two lights while it is enabled; a read of the status clears data ready. */
export function ltr390Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  registers[0x04] = 0x22;
  registers[0x05] = 0x01;
  registers[0x06] = 0xb2;
  let startedMs = Number.POSITIVE_INFINITY;
  const step = () => ((registers[0x04] ?? 0) >> 4) & 7;
  const put = (at: number, value: number) => {
    const code = coded(value, 0, 2 ** (BITS[step()] ?? 18) - 1);
    registers.set([code & 0xff, (code >> 8) & 0xff, code >> 16], at);
  };
  return byteRegisterChip({
    registers,
    update() {
      const timeMs = TIMES_MS[step()] ?? 100;
      if (world.monoMs() < startedMs + timeMs * 1.1) return;
      const gain = GAINS[registers[0x05] ?? 0] ?? 1;
      if (registers[0x00] === 0x02) put(0x0d, (world.illuminanceLx() * gain * (timeMs / 100)) / 0.6);
      else put(0x10, world.uvIndex() * 2300 * (gain / 18) * (timeMs / 400));
      registers[0x07] = (registers[0x07] ?? 0) | DATA_READY;
      startedMs = world.monoMs();
    },
    read(register) {
      if (register === 0x07) registers[0x07] = 0;
    },
    write(register, value) {
      if (register > 0x05) return;
      registers[register] = value;
      if (register === 0x00) startedMs = (value & 0x02) !== 0 ? world.monoMs() : Number.POSITIVE_INFINITY;
    },
  });
}
