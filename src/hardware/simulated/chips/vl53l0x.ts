import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const PAGE = 0xff;
const RANGE_COMPLETE = 11 << 3;
const NO_TARGET = 4 << 3;
/** How far it sees. */
const REACH_MM = 2000;

/** VL53L0X: the registers of two pages; ranging needs the stop variable, and an initialization that ran to its end. */
export function vl53l0xChip(world: World): SimulatedChip {
  const main = new Uint8Array(256);
  const other = new Uint8Array(256);
  const shown = new Uint8Array(256);
  let page = 0;
  let doneMs = Number.POSITIVE_INFINITY;
  main.set([0xee, 0xaa, 0x10], 0xc0);
  main.set([0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 0xb0);
  main[0x01] = 0xff;
  other[0x91] = 0x3c;
  other[0x92] = 0x80 | 5;

  const finish = () => {
    main[0x13] = 0x04;
    main[0x00] = (main[0x00] ?? 0) & ~1;
    doneMs = Number.POSITIVE_INFINITY;
    if (main[0x01] !== 0xe8) return;
    // The stop variable was written back, as each measurement wants it.
    const isArmed = main[0x91] === 0x3c || other[0x91] === 0x3c;
    const mm = coded(world.distanceMm(), 0, 8190);
    const seen = isArmed && mm <= REACH_MM;
    main[0x14] = seen ? RANGE_COMPLETE : NO_TARGET;
    main.set(seen ? [mm >> 8, mm & 0xff] : [0x1f, 0xfe], 0x1e);
  };

  return byteRegisterChip({
    registers: shown,
    update() {
      if (world.monoMs() >= doneMs) finish();
      shown.set(page === 0 ? main : other);
      // The factory's settings are ready at once.
      if (page !== 0) shown[0x83] = (other[0x83] ?? 0) | 0x01;
    },
    write(register, value) {
      if (register === PAGE) {
        page = value;
        shown.set(page === 0 ? main : other);
        return;
      }
      const registers = page === 0 ? main : other;
      registers[register] = value;
      shown[register] = value;
      if (page !== 0) return;
      if (register === 0x0b) main[0x13] = 0;
      if (register === 0x00 && (value & 1) !== 0) doneMs = world.monoMs() + (main[0x01] === 0xe8 ? 36 : 10);
    },
  });
}
