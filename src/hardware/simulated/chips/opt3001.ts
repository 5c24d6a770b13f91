import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

const MODE = 0x0600;
const SINGLE_SHOT = 0x0200;
const LONG_CONVERSION = 0x0800;
const OVERFLOW = 0x0100;
const READY = 0x0080;
/** What can be written of the configuration: neither the flags of light nor those of the conversion (SBOS681, §7.6.1.1.2). */
const WRITABLE = 0xfe1f;
/** A first look of 10 ms finds the range (§7.4.1), then the light is measured. */
const RANGING_MS = 10;

/** OPT3001 (SBOS681): 0 lx until a conversion is done; asleep after power-on and after each single shot. */
export function opt3001Chip(world: World): SimulatedChip {
  let config = 0xc810;
  let result = 0;
  let doneMs = Number.POSITIVE_INFINITY;
  const conversionMs = () => RANGING_MS + ((config & LONG_CONVERSION) !== 0 ? 800 : 100);
  const update = () => {
    if (world.monoMs() < doneMs) return;
    const hundredths = world.illuminanceLx() * 100;
    const exponent = Math.min(11, Math.max(0, Math.ceil(Math.log2(hundredths / 4095))));
    result = (exponent << 12) | coded(hundredths / 2 ** exponent, 0, 4095);
    config = (config & ~OVERFLOW) | READY | (hundredths / 2 ** exponent > 4095 ? OVERFLOW : 0);
    if ((config & MODE) === SINGLE_SHOT) config &= ~MODE;
    doneMs = (config & MODE) === 0 ? Number.POSITIVE_INFINITY : world.monoMs() + conversionMs();
  };
  return wordRegisterChip({
    read(register) {
      update();
      if (register === 0x00) return result;
      if (register === 0x01) {
        const shown = config;
        config &= ~READY;
        return shown;
      }
      if (register === 0x02) return 0xc000;
      if (register === 0x03) return 0xbfff;
      if (register === 0x7e) return 0x5449;
      return register === 0x7f ? 0x3001 : undefined;
    },
    write(register, word) {
      if (register !== 0x01) return;
      config = word & WRITABLE;
      doneMs = (word & MODE) === 0 ? Number.POSITIVE_INFINITY : world.monoMs() + conversionMs();
    },
  });
}
