import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

/** MCP9808 (DS25095A): words, but for the resolution; 0 °C until the first conversion, a slow one, is done. */
export function mcp9808Chip(world: World): SimulatedChip {
  const words = new Map([
    [0x01, 0],
    [0x02, 0],
    [0x03, 0],
    [0x04, 0],
    [0x06, 0x0054],
    [0x07, 0x0400],
  ]);
  const poweredMs = world.monoMs();
  let resolution = 0x03;
  let pointer = 0;
  const temperature = () => {
    const code = world.monoMs() < poweredMs + 300 ? 0 : coded(world.temperatureC() * 16, -640, 2000);
    // Above the upper limit, above the critical one: flags in front of 13 bits.
    const limit = words.get(0x02) ?? 0;
    return (code & 0x1fff) | (code > limit ? 0x4000 : 0);
  };
  return {
    write([register = 0, ...value]) {
      if (register > 0x08) throw nack();
      pointer = register;
      if (value.length === 0) return;
      if (value.length !== (register === 0x08 ? 1 : 2)) throw nack();
      if (register === 0x08) resolution = value[0] ?? 0;
      else if (register >= 0x01 && register <= 0x04) words.set(register, ((value[0] ?? 0) << 8) | (value[1] ?? 0));
    },
    read(length) {
      const word = pointer === 0x05 ? temperature() : (words.get(pointer) ?? 0);
      const bytes = pointer === 0x08 ? [resolution] : [word >> 8, word & 0xff];
      return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0xff);
    },
  };
}
