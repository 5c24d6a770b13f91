import { loadConfig } from "../../config/load.ts";
import { isConfigError } from "../../config/problems.ts";
import type { Config } from "../../config/schema/config.ts";
import { isGatewayError } from "../../core/errors.ts";
import { isOnI2c } from "../../drivers/driver.ts";
import { busName, muxOf } from "../../hardware/bus-name.ts";
import type { KernelFinding } from "../../scan/kernel.ts";
import type { Invocation } from "../command.ts";

/** What the configuration reads already: it is left alone, as the service may be using it. */
export interface Configured {
  readonly ids: ReadonlySet<string>;
  /** `i2c-1/0x76` -> the device's id. */
  readonly chips: ReadonlyMap<string, string>;
  /** `ds18b20/28-…` -> the device's id. */
  readonly kernel: ReadonlyMap<string, string>;
  /** Buses behind multiplexers. */
  readonly muxBuses: readonly string[];
}

/** Undefined where there is none yet, or a wrong one: scanning comes before configuring. */
export async function configOf({ configFile, io }: Invocation): Promise<Config | undefined> {
  try {
    return (await loadConfig(configFile, { missingFiles: "warn", env: io.env })).config;
  } catch (error) {
    if (isConfigError(error) || isGatewayError(error)) return undefined;
    throw error;
  }
}

export function configuredIn(config: Config | undefined): Configured {
  const devices = config?.devices ?? [];
  const chips = devices.flatMap(({ id, driver, bus, address }): [string, string][] =>
    isOnI2c(driver) ? [[placeOf(busName(bus), address ?? driver.addresses[0]), id]] : [],
  );
  const kernel = devices.flatMap(({ id, driver, options }): [string, string][] =>
    Object.values(options).flatMap((value) => (typeof value === "string" ? [[`${driver.name}/${value}`, id]] : [])),
  );
  const buses = devices.flatMap(({ driver, bus }) => (isOnI2c(driver) ? [busName(bus)] : []));
  const muxBuses = [...new Set(buses)].filter((bus) => muxOf(bus) !== undefined);
  return { ids: new Set(devices.map(({ id }) => id)), chips: new Map(chips), kernel: new Map(kernel), muxBuses };
}

export const placeOf = (bus: string, address: number): string => `${bus}/${hex(address)}`;
export const hex = (address: number): string => `0x${address.toString(16).padStart(2, "0")}`;

export function kernelPlace({ driver, options }: KernelFinding): string {
  return `${driver.name}/${Object.values(options)[0] ?? ""}`;
}
