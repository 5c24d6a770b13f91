import type { Store } from "../store/store.ts";
import type { Uplink } from "../uplink/uplink.ts";
import type { Roster } from "./roster.ts";

export interface FaultsCleared {
  /** Devices that were at fault, and are looked at anew. */
  readonly devices: readonly string[];
  /** Did the gateway itself have one that it could let go? */
  readonly gateway: boolean;
}

/** Of one device; without one of all, and of the gateway. Throws DEVICE_UNKNOWN. */
export type ClearFaults = (device: string | undefined) => FaultsCleared;

interface Parts {
  readonly roster: Pick<Roster, "clearFaults">;
  readonly store: Pick<Store, "acknowledgeFaults">;
  readonly uplink: Pick<Uplink, "clearFaults">;
}

/** Somebody has seen to what is at fault: nothing waits for its time any more, and what is over is not told any longer. */
export function clearFaultsOf({ roster, store, uplink }: Parts): ClearFaults {
  return (device) => {
    const devices = roster.clearFaults(device);
    if (device !== undefined) return { devices, gateway: false };
    const cleared = [store.acknowledgeFaults(), uplink.clearFaults()];
    return { devices, gateway: cleared.includes(true) };
  };
}
