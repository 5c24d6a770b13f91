import type { I2cDevice } from "../i2c.ts";
import type { ExpanderChip, ExpanderState } from "./chip.ts";
import { bytesOf, maskOf } from "./mcp230xx.ts";

/**
 * PCF8574 (one port of eight) and PCF8575 (two). They have no registers, and no directions: a pin at 1 is pulled up by 100 µA
 * and can be read, one at 0 is driven low (SCPS068J, §8.1). Whoever writes one pin writes all.
 */
export function pcf857x(chip: I2cDevice, ports: 1 | 2): ExpanderChip {
  const all = 2 ** (8 * ports) - 1;
  const levels = async () => maskOf(await chip.read(ports));
  const drive = ({ inputs, latch }: ExpanderState) => chip.write(bytesOf(latch | inputs, ports));
  return {
    lines: 8 * ports,
    pulls: ["up"],
    async begin() {
      await levels();
      // What was driven cannot be told from what is pulled low outside, which must not be driven.
      return { inputs: all, latch: all, pullUps: 0, watched: 0 };
    },
    arrange: drive,
    drive,
    look: async () => ({ levels: await levels() }),
    // After a reset all pins are at 1 (§8.2): one that is to be low then is not.
    holds: async ({ inputs, latch }) => ((await levels()) & ~inputs & ~latch & all) === 0,
  };
}
