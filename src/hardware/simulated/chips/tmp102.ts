import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

/** TMP102 (SBOS397H): 0 °C until its first conversion; the alert bit, inverted by POL, follows the temperature. */
export function tmp102Chip(world: World): SimulatedChip {
  const words = [0, 0x60a0, 0x4b00, 0x5000];
  const poweredMs = world.monoMs();
  return wordRegisterChip({
    read(register) {
      const isExtended = ((words[1] ?? 0) & 0x10) !== 0;
      const code = coded(world.temperatureC() * 16, isExtended ? -4096 : -2048, isExtended ? 4095 : 2047);
      if (register !== 0) return words[register];
      if (world.monoMs() < poweredMs + 26) return 0;
      return (isExtended ? (code << 3) | 1 : code << 4) & 0xffff;
    },
    write(register, word) {
      if (register === 1) words[1] = (word & 0x1fd0) | 0x6020;
      else if (register > 1) words[register] = word;
    },
  });
}
