import type { Config } from "../../config/schema/config.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../store/store.ts";

type Meta = Pick<Store, "getMeta" | "setMeta">;

const keyOf = (device: string) => `ha.identity/${device}`;
/** What is kept for a device under its id. */
const MOVED = ["driver", "offset", "process"];

/** The id that the device's entities have: its first one, whatever it is called now. */
export function entityIdOf(store: Meta, device: string): string {
  return store.getMeta(keyOf(device)) || device;
}

/**
 * Devices that took a new id: what a driver and its processing keep goes on under it, and their entities stay what they
 * are. It holds for good, so that `previous_id` may leave the configuration again.
 */
export function applyRenames(devices: Config["devices"], store: Meta, log: Log): void {
  for (const { id, previousId } of devices) {
    if (previousId === undefined || store.getMeta(keyOf(id))) continue;
    store.setMeta(keyOf(id), entityIdOf(store, previousId), "soon");
    for (const part of MOVED) {
      const kept = store.getMeta(`${part}/${previousId}`);
      if (kept !== undefined && store.getMeta(`${part}/${id}`) === undefined)
        store.setMeta(`${part}/${id}`, kept, "soon");
    }
    log.info("a device has a new id", { id, previousId });
  }
  separate(devices, store);
}

/** A new device under an id that another's entities go on with has entities of its own. */
function separate(devices: Config["devices"], store: Meta): void {
  const taken = new Set(devices.map(({ id }) => store.getMeta(keyOf(id))).filter((entityId) => entityId));
  for (const { id } of devices) {
    if (store.getMeta(keyOf(id)) || !taken.has(id)) continue;
    let number = 2;
    while (taken.has(`${id}_${number}`) || devices.some((device) => device.id === `${id}_${number}`)) number++;
    store.setMeta(keyOf(id), `${id}_${number}`, "soon");
  }
}

/** Ids that devices of the configuration had before: what is retained under them is nobody's any more. */
export function formerIds(devices: Config["devices"]): Set<string> {
  return new Set(devices.flatMap(({ previousId }) => (previousId === undefined ? [] : [previousId])));
}
