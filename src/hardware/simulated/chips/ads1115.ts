import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

const RANGES = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256];
const RATES_1115 = [8, 16, 32, 64, 128, 250, 475, 860];
const RATES_1015 = [128, 250, 490, 920, 1600, 2400, 3300, 3300];
const NO_MUX = 0x8fff;
const NO_PGA = 0xf1ff;
/** Positive and negative input by code of the multiplexer; 4 is ground. */
const PAIRS = [
  [0, 1],
  [0, 3],
  [1, 3],
  [2, 3],
  [0, 4],
  [1, 4],
  [2, 4],
  [3, 4],
] as const;

/** Single shot at register level (SBAS444E): the conversion stands where the last one stood until it is done. */
export const ads1115Chip = (world: World): SimulatedChip => adsChip(world, RATES_1115, 16, 0xffff);
export const ads1015Chip = (world: World): SimulatedChip => adsChip(world, RATES_1015, 12, 0xffff);
/** Bits of what is not there are kept and do nothing: always 0 to 1, and the ADS1113 always at 2.048 V. */
export const ads1114Chip = (world: World): SimulatedChip => adsChip(world, RATES_1115, 16, NO_MUX);
export const ads1014Chip = (world: World): SimulatedChip => adsChip(world, RATES_1015, 12, NO_MUX);
export const ads1113Chip = (world: World): SimulatedChip => adsChip(world, RATES_1115, 16, NO_MUX & NO_PGA, 0x0400);
export const ads1013Chip = (world: World): SimulatedChip => adsChip(world, RATES_1015, 12, NO_MUX & NO_PGA, 0x0400);

function adsChip(world: World, rates: readonly number[], bits: number, effective: number, fixed = 0): SimulatedChip {
  const words = [0, 0x8583, 0x8000, 0x7fff];
  let doneMs = Number.POSITIVE_INFINITY;
  const volts = () => {
    const volt = (world.voltageV() / 12.1) * 1.8;
    return [volt, volt / 2, 0.1, 2.5, 0];
  };
  const convert = () => {
    const config = ((words[1] ?? 0) & effective) | fixed;
    const [positive, negative] = PAIRS[(config >> 12) & 7] ?? [0, 4];
    const difference = (volts()[positive] ?? 0) - (volts()[negative] ?? 0);
    const full = 2 ** (bits - 1);
    const code = coded((difference / (RANGES[(config >> 9) & 7] ?? 1)) * full, -full, full - 1);
    words[0] = (code << (16 - bits)) & 0xffff;
    words[1] = (words[1] ?? 0) | 0x8000;
    doneMs = Number.POSITIVE_INFINITY;
  };
  return wordRegisterChip({
    read(register) {
      if (world.monoMs() >= doneMs) convert();
      return words[register];
    },
    write(register, word) {
      if (register === 0) return;
      words[register] = word;
      if (register !== 1) return;
      // OS starts a conversion, and is 1 again when there is none.
      if ((word & 0x8000) !== 0) doneMs = world.monoMs() + (1000 / (rates[(word >> 5) & 7] ?? 1)) * 1.09;
      words[1] = (word & 0x8000) === 0 ? word | 0x8000 : word & 0x7fff;
    },
  });
}
