import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

/** LM75B (NXP rev. 6.1): 11 bits of temperature, which stand still in shutdown. */
export function lm75Chip(world: World): SimulatedChip {
  let config = 0;
  let pointer = 0;
  let held = 0;
  const limits = [0x4b00, 0x5000];
  const temperature = () => {
    if ((config & 1) === 0) held = coded(world.temperatureC() * 8, -440, 1000) << 5;
    return held;
  };
  return {
    write([register = 0, ...value]) {
      if (register > 3) throw nack();
      pointer = register;
      if (value.length === 0) return;
      if (value.length !== (register === 1 ? 1 : 2)) throw nack();
      if (register === 1) config = value[0] ?? 0;
      else if (register > 1) limits[register - 2] = ((value[0] ?? 0) << 8) | (value[1] ?? 0);
    },
    read(length) {
      const word = pointer === 0 ? temperature() : pointer === 1 ? config << 8 : (limits[pointer - 2] ?? 0);
      return Uint8Array.from({ length }, (_, index) => (index % 2 === 0 ? (word >> 8) & 0xff : word & 0xff));
    },
  };
}
