import type { Config } from "../../config/schema/config.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../store/store.ts";
import { type SmallValue, smallKey, smallKeysOf } from "../small-values.ts";

type Device = Pick<Config["devices"][number], "id" | "previousId">;
type Small = Pick<Store, "forgetNewest" | "getMeta" | "metaKeys" | "setMeta">;

const keyOf = (device: string) => smallKey("ha.identity", device);
/** What goes on under the new id. The identity comes last: while it is not there, the rest is moved again. */
const MOVED: readonly SmallValue[] = [
  "driver",
  "driver.name",
  "offset",
  "process",
  "ha.deleted",
  "ha.replaced",
  "ha.told",
];

/** The id that the device's entities have: its first one, whatever it is called now. */
export function entityIdOf(store: Pick<Store, "getMeta">, device: string): string {
  return store.getMeta(keyOf(device)) || device;
}

/**
 * Devices that took a new id: what is kept for them goes on under it, and their entities stay what they are. It holds for
 * good, so that `previous_id` may leave the configuration again; and nothing is left for a new device under the old id.
 */
export function applyRenames(devices: readonly Device[], store: Small, log: Log): void {
  for (const { id, previousId } of devices) {
    if (previousId === undefined) continue;
    if (!store.getMeta(keyOf(id))) {
      move(previousId, id, store);
      log.info("a device has a new id", { id, previousId });
    }
    forgetNow(previousId, store);
  }
  separate(devices, store);
}

function move(from: string, to: string, store: Small): void {
  for (const part of MOVED) {
    const kept = store.getMeta(smallKey(part, from));
    const key = smallKey(part, to);
    if (kept !== undefined && store.getMeta(key) === undefined) store.setMeta(key, kept, "soon");
  }
  store.setMeta(keyOf(to), entityIdOf(store, from), "soon");
}

/** In one commit with what was moved, if the disk has neither yet. */
export function forgetNow(device: string, store: Pick<Small, "forgetNewest" | "metaKeys" | "setMeta">): void {
  for (const key of smallKeysOf(device, store.metaKeys())) store.setMeta(key, undefined, "soon");
  store.forgetNewest(device);
}

/** A new device under an id that another's entities go on with has entities of its own. */
function separate(devices: readonly Device[], store: Small): void {
  const taken = new Set(devices.map(({ id }) => store.getMeta(keyOf(id))).filter((entityId) => entityId));
  for (const { id } of devices) {
    if (store.getMeta(keyOf(id)) || !taken.has(id)) continue;
    let number = 2;
    while (taken.has(`${id}_${number}`) || devices.some((device) => device.id === `${id}_${number}`)) number++;
    store.setMeta(keyOf(id), `${id}_${number}`, "soon");
  }
}

/** Ids that devices of the configuration had before: what is retained under them is nobody's any more. */
export function formerIds(devices: readonly Device[]): Set<string> {
  return new Set(devices.flatMap(({ previousId }) => (previousId === undefined ? [] : [previousId])));
}
