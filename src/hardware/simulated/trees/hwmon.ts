import type { World } from "../chip.ts";
import type { Tree } from "../files.ts";
import type { Placement } from "../placement.ts";
import { nodePath } from "./node.ts";

/** A board monitor with one of each kind of input (Documentation/hwmon/sysfs-interface.rst). */
export function hwmonTree(world: World, placement: Placement, index: number): Tree {
  const entry = `hwmon${index}`;
  const { node, name } = nodePath(placement, index);
  const device = `${node}/hwmon/${entry}`;
  const currentA = () => 0.4 + world.temperatureC() / 1000;
  return {
    [`/sys/class/hwmon/${entry}`]: { link: device },
    [`${device}/name`]: `${name}\n`,
    [`${device}/temp1_input`]: () => `${Math.round(world.temperatureC() * 1000)}\n`,
    [`${device}/temp1_max`]: "80000\n",
    [`${device}/temp2_input`]: () => `${Math.round(world.temperatureC() * 1000 + 5000)}\n`,
    [`${device}/temp2_label`]: "Board\n",
    [`${device}/temp2_fault`]: "0\n",
    [`${device}/humidity1_input`]: () => `${Math.round(world.humidityPercent() * 1000)}\n`,
    [`${device}/in0_input`]: "3301\n",
    [`${device}/in0_label`]: "3V3\n",
    [`${device}/curr1_input`]: () => `${Math.round(currentA() * 1e3)}\n`,
    [`${device}/power1_input`]: () => `${Math.round(currentA() * 3.301e6)}\n`,
    [`${device}/fan1_input`]: "1180\n",
  };
}
