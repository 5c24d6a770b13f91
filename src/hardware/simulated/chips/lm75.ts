import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

const ELEVEN_BITS = { bits: () => 11, conversionMs: () => 100, kept: 0x1f };
/** By the resolution bits of the configuration, 9 to 12: a DS1775, the slowest. */
const CHOSEN_BITS = {
  bits: (config: number) => 9 + ((config >> 5) & 3),
  conversionMs: (config: number) => 187.5 * 2 ** ((config >> 5) & 3),
  kept: 0x7f,
};

/** LM75B (NXP rev. 6.1). */
export const lm75Chip = (world: World): SimulatedChip => chip(world, ELEVEN_BITS);
/** TMP75 (SBOS288M): 9 bits until it is told otherwise. */
export const tmp75Chip = (world: World): SimulatedChip => chip(world, CHOSEN_BITS);

/** 0 °C until the first conversion is done; what is written takes effect with the next one; shutdown holds the last. */
function chip(world: World, { bits, conversionMs, kept }: typeof CHOSEN_BITS): SimulatedChip {
  let config = 0;
  let pointer = 0;
  let held = 0;
  let doneMs = world.monoMs() + conversionMs(config);
  const limits = [0x4b00, 0x5000];
  const temperature = () => {
    if ((config & 1) !== 0 || world.monoMs() < doneMs) return held & 0xffff;
    const width = bits(config);
    held = coded(world.temperatureC() * 2 ** (width - 8), -55 * 2 ** (width - 8), 2 ** (width - 1) - 1) << (16 - width);
    return held & 0xffff;
  };
  const configure = (value: number) => {
    temperature();
    config = value & kept;
    doneMs = world.monoMs() + conversionMs(config);
  };
  return {
    write([register = 0, ...value]) {
      if (register > 3) throw nack();
      pointer = register;
      if (value.length === 0) return;
      if (value.length !== (register === 1 ? 1 : 2)) throw nack();
      if (register === 1) configure(value[0] ?? 0);
      else if (register > 1) limits[register - 2] = ((value[0] ?? 0) << 8) | (value[1] ?? 0);
    },
    read(length) {
      const word = pointer === 0 ? temperature() : pointer === 1 ? config << 8 : (limits[pointer - 2] ?? 0);
      return Uint8Array.from({ length }, (_, index) => (index % 2 === 0 ? (word >> 8) & 0xff : word & 0xff));
    },
  };
}
