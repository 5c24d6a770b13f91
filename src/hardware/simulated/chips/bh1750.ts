import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

/** BH1750FVI: the data register keeps the last measurement, and 0 before the first. One-time modes need power first. */
export function bh1750Chip(world: World): SimulatedChip {
  let isOn = false;
  let time = 69;
  let data = 0;
  let next: { readonly atMs: number; readonly count: number } | undefined;
  const oneTime = (factor: number) => {
    if (!isOn) return;
    const count = coded(world.illuminanceLx() * 1.2 * factor * (time / 69), 0, 65_535);
    next = { atMs: world.monoMs() + (179 * time) / 69, count };
  };
  return {
    write(bytes) {
      const [command = 0] = bytes;
      if (bytes.length !== 1) throw nack();
      if (command === 0x00 || command === 0x01) isOn = command === 0x01;
      else if (command === 0x20) oneTime(1);
      else if (command === 0x21) oneTime(2);
      else if (command >> 3 === 0b01000) time = ((command & 0b111) << 5) | (time & 0b11111);
      else if (command >> 5 === 0b011) time = (time & 0b1110_0000) | (command & 0b11111);
      else throw nack();
    },
    read(length) {
      if (next && world.monoMs() >= next.atMs) {
        data = next.count;
        next = undefined;
        isOn = false;
      }
      return Uint8Array.from({ length }, (_, index) => (index === 0 ? data >> 8 : data & 0xff));
    },
  };
}
