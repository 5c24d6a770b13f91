import type { World } from "../chip.ts";
import type { Tree } from "../files.ts";
import type { Placement } from "../placement.ts";
import { nodePath } from "./node.ts";

/** An environment sensor with computed channels, and an ADC channel that wants offset and scale (sysfs-bus-iio). */
export function iioTree(world: World, placement: Placement, index: number): Tree {
  const entry = `iio:device${index}`;
  const { node, name } = nodePath(placement, index);
  const device = `${node}/${entry}`;
  return {
    [`/sys/bus/iio/devices/${entry}`]: { link: device },
    [`${device}/name`]: `${name}\n`,
    [`${device}/in_temp_input`]: () => `${Math.round(world.temperatureC() * 1000)}\n`,
    [`${device}/in_humidityrelative_input`]: () => `${Math.round(world.humidityPercent() * 1000)}\n`,
    [`${device}/in_pressure_input`]: () => `${(world.pressureHpa() / 10).toFixed(9)}\n`,
    [`${device}/in_voltage0_raw`]: () => `${Math.round(3300 / 0.125) - 100}\n`,
    [`${device}/in_voltage_offset`]: "100\n",
    [`${device}/in_voltage_scale`]: "0.125000000\n",
    [`${device}/sampling_frequency`]: "8\n",
  };
}
