import type { DriverMemory } from "../drivers/driver.ts";
import type { Store } from "../store/store.ts";
import { smallKey } from "./small-values.ts";

/** What a driver keeps of one device, among the store's small values. */
export function driverMemory(store: Pick<Store, "getMeta" | "setMeta">, device: string): DriverMemory {
  const key = smallKey("driver", device);
  return { load: () => store.getMeta(key), save: (text, urgency) => store.setMeta(key, text, urgency) };
}

/** For one look, without a store. */
export const noMemory: DriverMemory = { load: () => undefined, save: () => undefined };
