import type { World } from "../chip.ts";
import type { Tree } from "../files.ts";
import type { Placement } from "../placement.ts";

const MASTER = "/sys/devices/w1_bus_master1";
/** The chip's resolution at 12 bits is a sixteenth of a degree (datasheet DS18B20, table 2). */
const STEPS_PER_DEGREE = 16;

/** A DS18B20 as the kernel's w1_therm shows it (Documentation/ABI/testing/sysfs-driver-w1_therm). A read takes no time here. */
export function ds18b20Tree(world: World, { options }: Placement, index: number): Tree {
  const name = typeof options?.sensor === "string" ? options.sensor : sensorName(index);
  const device = `${MASTER}/${name}`;
  const milliC = () => Math.trunc((Math.round(world.temperatureC() * STEPS_PER_DEGREE) * 1000) / STEPS_PER_DEGREE);
  return {
    [`/sys/bus/w1/devices/${name}`]: { link: device },
    "/sys/bus/w1/devices/w1_bus_master1": { link: MASTER },
    [`${MASTER}/therm_bulk_read`]: { read: () => "0\n", write: () => undefined },
    [`${device}/name`]: `${name}\n`,
    [`${device}/temperature`]: () => `${milliC()}\n`,
    [`${device}/resolution`]: { read: () => "12\n", write: () => undefined },
    [`${device}/conv_time`]: { read: () => "750\n", write: () => undefined },
    [`${device}/features`]: { read: () => "0\n", write: () => undefined },
    [`${device}/ext_power`]: "1\n",
  };
}

/** Family 28 and a serial of our own making. */
function sensorName(index: number): string {
  return `28-00155e${(index + 1).toString(16).padStart(6, "0")}`;
}
