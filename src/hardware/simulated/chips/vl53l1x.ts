import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

const BOOT_MS = 1.2;
const RANGE_VALID = 9;
const OUT_OF_BOUNDS = 5;
/** How far it sees in its long mode. */
const REACH_MM = 4000;

/** VL53L1X: registers with addresses of 16 bits; it takes no configuration before it has booted. */
export function vl53l1xChip(world: World): SimulatedChip {
  const registers = new Uint8Array(0x0200);
  const poweredMs = world.monoMs();
  let pointer = 0;
  let doneMs = Number.POSITIVE_INFINITY;
  registers.set([0xea, 0xcc, 0x10], 0x010f);
  // Its own time-outs, of which the first is that of the long mode at 100 ms, too.
  registers.set([0x01, 0xcc, 0x0f, 0x01, 0xf1], 0x5e);

  const update = () => {
    registers[0xe5] = world.monoMs() < poweredMs + BOOT_MS ? 0 : 3;
    if (world.monoMs() < doneMs) return;
    const mm = coded(world.distanceMm(), 0, 0xffff);
    registers[0x89] = mm <= REACH_MM ? RANGE_VALID : OUT_OF_BOUNDS;
    registers.set([mm >> 8, mm & 0xff], 0x96);
    registers[0x31] = 0x03;
    doneMs = Number.POSITIVE_INFINITY;
  };
  const put = (register: number, value: number) => {
    registers[register] = value;
    if (register === 0x86 && value === 1) registers[0x31] = 0x02;
    // It has nothing to do before its sequence was written.
    const starts = register === 0x87 && value === 0x40 && registers[0x81] === 0x9b;
    if (register === 0x87) doneMs = starts ? world.monoMs() + 99 : Number.POSITIVE_INFINITY;
  };
  return {
    write([high = 0, low, ...values]) {
      update();
      if (low === undefined) throw nack();
      pointer = (high << 8) | low;
      if (values.length > 0 && registers[0xe5] !== 3) throw nack();
      for (const value of values) put(pointer++, value);
    },
    read(length) {
      update();
      return Uint8Array.from({ length }, () => registers[pointer++] ?? 0);
    },
  };
}
