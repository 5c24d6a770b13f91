import type { World } from "./chip.ts";
import type { Tree } from "./files.ts";
import type { Placement } from "./placement.ts";
import { dht22Tree } from "./trees/dht22.ts";
import { ds18b20Tree } from "./trees/ds18b20.ts";
import { hostTree } from "./trees/host.ts";
import { hwmonTree } from "./trees/hwmon.ts";
import { iioTree } from "./trees/iio.ts";

/** `index` counts the simulated devices of this gateway from 0: two devices never share `iio:device0` or a serial. */
export type SimulatedTreeFactory = (world: World, placement: Placement, index: number) => Tree;

/** Driver name -> the files in which the kernel would show the device. Trees of several devices are laid over each other. */
export const simulatedTrees: Readonly<Record<string, SimulatedTreeFactory>> = {
  dht22: dht22Tree,
  ds18b20: ds18b20Tree,
  host: hostTree,
  hwmon: hwmonTree,
  iio: iioTree,
};
