import { GATEWAY } from "../core/device.ts";
import type { Store, Unwritten } from "../store/store.ts";

/**
 * What is kept for a device under its id, among the store's small values: all of it ends with the device, and moves with
 * its id. `driver` and `process` are their memories, `driver.name` says whose they are; `removed` counts the grace; `forget`
 * marks what a command without the service ended, for the process's own memory may still have it.
 */
const PARTS = [
  "driver",
  "driver.name",
  "forget",
  "ha.deleted",
  "ha.identity",
  "ha.replaced",
  "ha.told",
  "offset",
  "process",
  "removed",
] as const;
export type SmallValue = (typeof PARTS)[number];

type Keys = Iterable<string>;

export function smallKey(part: SmallValue, device: string): string {
  return `${part}/${device}`;
}

/** Keys of a device's small values; of the gateway: of all devices, for they end with it. */
export function smallKeysOf(device: string, keys: Keys): string[] {
  return [...keys].filter((key) => {
    const owner = ownerOf(key);
    return owner !== undefined && (device === GATEWAY || owner === device);
  });
}

/** Devices, without the gateway, of which something is kept under one of `parts`. */
export function devicesWith(keys: Keys, parts: readonly SmallValue[] = PARTS): string[] {
  const owners = [...keys].map((key) => ownerOf(key, parts));
  return [...new Set(owners)].filter((owner): owner is string => owner !== undefined && owner !== GATEWAY);
}

function ownerOf(key: string, parts: readonly SmallValue[] = PARTS): string | undefined {
  const part = parts.find((one) => key.startsWith(`${one}/`));
  return part && key.slice(part.length + 1);
}

type Forgetful = Pick<Store, "devices" | "forget" | "metaKeys" | "newest" | "unwritten">;

/** Is something of the device kept beside its readings? */
export function isKept(device: string, store: Pick<Forgetful, "devices" | "metaKeys">): boolean {
  return smallKeysOf(device, store.metaKeys()).length > 0 || valuedDevices(device, store).length > 0;
}

/** May something of it be left, be it only on the disk: at a start, what ended is removed from memory alone? */
export function isLeft(device: string, store: Pick<Forgetful, "devices" | "metaKeys" | "unwritten">): boolean {
  const { metaKeys, devices } = leftOf(device, store);
  return metaKeys.length + devices.length > 0;
}

/** Its small values and its newest ones are gone from the disk, too, when it resolves. Rejects with STORE_FULL or STORE_IO. */
export async function forgetDevice(device: string, store: Forgetful): Promise<void> {
  const { metaKeys, devices } = leftOf(device, store);
  if (metaKeys.length + devices.length > 0) await store.forget(metaKeys, devices);
}

function leftOf(device: string, store: Pick<Forgetful, "devices" | "metaKeys" | "unwritten">): Unwritten {
  const unwritten = store.unwritten();
  const metaKeys = smallKeysOf(device, new Set([...store.metaKeys(), ...unwritten.metaKeys]));
  const known = [...new Set([...store.devices(), ...unwritten.devices])];
  return { metaKeys, devices: valuedDevices(device, { devices: () => known }) };
}

/** Those that have newest values: the device itself, or for the gateway all. */
export function valuedDevices(device: string, store: Pick<Forgetful, "devices">): string[] {
  return store.devices().filter((one) => device === GATEWAY || one === device);
}
