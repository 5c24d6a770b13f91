import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

const BITS = [12, 14, 16, 18];
const TIMES_MS = [1000 / 240, 1000 / 60, 1000 / 15, 1000 / 3.75];
const BUSY = 0x80;

/** MCP3424 (DS22088C): one byte starts a conversion; a read gives the last one, and behind it whether it is a new one. */
export const mcp3421Chip = (world: World): SimulatedChip => mcpChip(world, 3);
/** MCP3428 (DS22226A): 16 bits at most. */
export const mcp3425Chip = (world: World): SimulatedChip => mcpChip(world, 2);

function mcpChip(world: World, finest: number): SimulatedChip {
  let config = 0x10;
  let doneMs = 0;
  let code = 0;
  const volts = () => [world.voltageV() / 10, 0.25, -0.25, 3];
  const update = () => {
    if ((config & BUSY) === 0 || world.monoMs() < doneMs) return;
    const full = 2 ** ((BITS[(config >> 2) & 3] ?? 12) - 1);
    code = coded(((volts()[(config >> 5) & 3] ?? 0) / 2.048) * 2 ** (config & 3) * full, -full, full - 1);
    config &= ~BUSY;
  };
  return {
    write(bytes) {
      const [value = 0] = bytes;
      if (bytes.length !== 1 || ((value >> 2) & 3) > finest) throw nack();
      config = value;
      doneMs = world.monoMs() + (TIMES_MS[(value >> 2) & 3] ?? 0) * 1.2;
    },
    read(length) {
      update();
      const is18 = ((config >> 2) & 3) === 3;
      const data = is18 ? [(code >> 16) & 0xff, (code >> 8) & 0xff, code & 0xff] : [(code >> 8) & 0xff, code & 0xff];
      return Uint8Array.from({ length }, (_, index) => data[index] ?? config);
    },
  };
}
