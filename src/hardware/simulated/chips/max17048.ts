import type { SimulatedChip, World } from "../chip.ts";
import { coded, wordRegisterChip } from "./registers.ts";

/** MAX17048 (rev. 7): no estimate of the charge in the first second, and the mark of the reset until it is cleared. */
export function max17048Chip(world: World): SimulatedChip {
  const poweredMs = world.monoMs();
  let status = 0x0100;
  const cellV = () => world.voltageV() / 3.1;
  const charge = () => (world.monoMs() < poweredMs + 1000 ? 0 : coded(((cellV() - 3) / 1.2) * 100 * 256, 0, 0xffff));
  return wordRegisterChip({
    read(register) {
      if (register === 0x02) return coded((cellV() * 1e6) / 78.125, 0, 0xffff);
      if (register === 0x04) return charge();
      if (register === 0x08) return 0x0012;
      if (register === 0x0c) return 0x971c;
      if (register === 0x1a) return status;
      if (register === 0x16) return coded((world.currentA() * -10) / 0.208, -0x8000, 0x7fff) & 0xffff;
      return register % 2 === 0 ? 0 : undefined;
    },
    write(register, word) {
      if (register === 0x1a) status = word;
    },
  });
}
