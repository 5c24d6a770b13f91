import type { World } from "../chip.ts";
import type { Tree } from "../files.ts";
import type { Placement } from "../placement.ts";

/** A DHT22 as the kernel's dht11 driver shows it: both chips go by one name. It never fails here. */
export function dht22Tree(world: World, { options }: Placement, index: number): Tree {
  const node = typeof options?.device === "string" ? options.device : `dht11@${(4 + index).toString(16)}`;
  const entry = `iio:device${index}`;
  const device = `/sys/devices/platform/${node}/${entry}`;
  return {
    [`/sys/bus/iio/devices/${entry}`]: { link: device },
    [`${device}/name`]: `${node}\n`,
    [`${device}/in_temp_input`]: () => `${Math.round(world.temperatureC() * 10) * 100}\n`,
    [`${device}/in_humidityrelative_input`]: () => `${Math.round(world.humidityPercent() * 10) * 100}\n`,
  };
}
