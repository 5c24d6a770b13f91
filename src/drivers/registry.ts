import { bme280 } from "./bme280.ts";
import { bmp280 } from "./bmp280.ts";
import { dht22 } from "./dht22.ts";
import { digitalInput } from "./digital-input.ts";
import { digitalOutput } from "./digital-output.ts";
import type { Driver } from "./driver.ts";
import { ds18b20 } from "./ds18b20.ts";
import { host } from "./host.ts";
import { hwmon } from "./hwmon.ts";
import { iio } from "./iio.ts";
import { pulseCounter } from "./pulse-counter.ts";
import { sht3x } from "./sht3x.ts";
import { sht4x } from "./sht4x.ts";

/** Every driver there is, by name: the one list from which everything that depends on drivers derives. */
export const drivers: readonly Driver[] = [
  bme280,
  bmp280,
  dht22,
  digitalInput,
  digitalOutput,
  ds18b20,
  host,
  hwmon,
  iio,
  pulseCounter,
  sht3x,
  sht4x,
];

const byName = new Map(drivers.flatMap((driver) => namesOf(driver).map((name) => [name, driver])));

/** The driver called so, or that has it as an alias. */
export function findDriver(name: string): Driver | undefined {
  return byName.get(name);
}

/** The name and the aliases. */
export function namesOf(driver: Driver): string[] {
  return [driver.name, ...(driver.aliases ?? [])];
}
