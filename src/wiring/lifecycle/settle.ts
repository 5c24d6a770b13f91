import type { Config } from "../../config/schema/config.ts";
import { GATEWAY } from "../../core/device.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../store/store.ts";
import { devicesWith, type SmallValue, smallKey } from "../small-values.ts";
import { applyRenames, forgetNow } from "./renames.ts";

type Device = Pick<Config["devices"][number], "id" | "previousId"> & { readonly driver: { readonly name: string } };
type Small = Pick<Store, "devices" | "forgetNewest" | "getMeta" | "metaKeys" | "setMeta" | "tombstones">;

/** What one chip learnt, or was corrected by, is wrong for another. */
const OF_THE_DRIVER: readonly SmallValue[] = ["driver", "offset", "process"];

/**
 * Before the devices start: of those that ended nothing is kept (a crash, or what was staged while a command ended them, may
 * have left something), those that were renamed have what was theirs, and none gets another driver's.
 */
export function settleSmallValues(devices: readonly Device[], store: Small, log: Log): void {
  forgetEnded(devices, store);
  const tombstones = store.tombstones();
  const alive = tombstones.has(GATEWAY) ? [] : devices.filter(({ id }) => !tombstones.has(id));
  applyRenames(alive, store, log);
  for (const device of alive) seeDriver(device, store, log);
}

function forgetEnded(devices: readonly Device[], store: Small): void {
  const marked = devicesWith(store.metaKeys(), ["forget"]);
  const all = store.getMeta(smallKey("forget", GATEWAY)) === undefined ? [] : [GATEWAY];
  const ended = new Set([...store.tombstones().keys(), ...marked, ...all]);
  // What waits under its former id would become its own.
  for (const { id, previousId } of devices) if (previousId !== undefined && ended.has(id)) ended.add(previousId);
  for (const id of ended) forgetNow(id, store);
  if (ended.has(GATEWAY)) for (const id of store.devices()) store.forgetNewest(id);
}

function seeDriver({ id, driver }: Device, store: Small, log: Log): void {
  const key = smallKey("driver.name", id);
  const before = store.getMeta(key);
  if (before === driver.name) return;
  store.setMeta(key, driver.name, "soon");
  if (before === undefined) return;
  for (const part of OF_THE_DRIVER) store.setMeta(smallKey(part, id), undefined, "soon");
  store.forgetNewest(id);
  log.info("a device has another driver: what was kept of the former one is forgotten", { id, driver: driver.name });
}
