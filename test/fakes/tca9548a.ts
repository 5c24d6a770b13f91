import type { SimulatedChip } from "../../src/hardware/simulated/chip.ts";
import type { SimulatedI2cBus } from "../../src/hardware/simulated/i2c-bus.ts";

/** A TCA9548A on a simulated bus: what is behind a channel answers on the bus while its bit is set. */
export function plugMultiplexer(
  bus: SimulatedI2cBus,
  address: number,
  channels: readonly ReadonlyMap<number, SimulatedChip>[],
): void {
  let connected = 0;
  bus.plug(address, {
    write(bytes) {
      for (const behind of channels) for (const chip of behind.keys()) bus.unplug(chip);
      connected = bytes.at(-1) ?? 0;
      channels.forEach((behind, channel) => {
        if ((connected & (1 << channel)) !== 0) for (const [at, chip] of behind) bus.plug(at, chip);
      });
    },
    read: (length) => new Uint8Array(length).fill(connected),
  });
}
