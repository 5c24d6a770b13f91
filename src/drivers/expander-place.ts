import type { ExpanderModel, ExpanderPlace } from "../hardware/expander/models.ts";
import type { Driver, Options } from "./driver.ts";

interface Configured {
  readonly id: string;
  readonly driver: Driver;
  readonly bus: string;
  readonly address?: number | undefined;
  readonly options: Options;
}

/** Where the hardware finds an expander; undefined for what is none. */
export function expanderPlace({ driver, bus, address, options }: Configured): ExpanderPlace | undefined {
  if (driver.port !== "expander") return undefined;
  const { poll: pollMs, interrupt_pin: interruptPin } = options;
  const model = driver.name as ExpanderModel;
  return {
    model,
    bus,
    address: address ?? driver.addresses[0],
    pollMs,
    ...(interruptPin !== undefined && { interruptPin }),
  };
}

/** The expanders that a device's options name, among these devices: id -> place. Undefined where they name none. */
export function expandersOf(
  options: Options,
  devices: readonly Configured[],
): Record<string, ExpanderPlace> | undefined {
  const named = Object.values(options as Record<string, unknown>).flatMap((value) =>
    typeof value === "object" && value !== null && "expander" in value ? [value.expander] : [],
  );
  if (named.length === 0) return undefined;
  const found = devices.flatMap((device): [string, ExpanderPlace][] => {
    const place = named.includes(device.id) ? expanderPlace(device) : undefined;
    return place ? [[device.id, place]] : [];
  });
  return Object.fromEntries(found);
}
