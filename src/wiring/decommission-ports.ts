import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import type { DecommissionPorts } from "../lifecycle/decommission.ts";
import type { Store } from "../store/store.ts";
import type { Uplink } from "../uplink/uplink.ts";
import type { Roster } from "./roster.ts";

export interface DecommissionParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly roster: Roster;
  readonly store: Store;
  readonly uplink: Uplink;
}

/** The running gateway as the decommissioning steps see it. */
export function decommissionPorts({ board, clock, roster, store, uplink }: DecommissionParts): DecommissionPorts {
  return {
    isKnown: (device) => board.get(device) !== undefined,
    isSampled: (device) => roster.has(device),
    async stop(device) {
      await roster.remove(device);
      await uplink.forget(device);
    },
    isTombstoned: (device) => store.tombstones().has(device),
    tombstone: (device) => store.addTombstone(device, clock.wallMs()),
    ledgerTopics: (device) => store.ledger.topics({ device }),
    clearRetained: (topics) => uplink.clearRetained(topics),
    retainedAmong: (topics) => uplink.retainedAmong(topics),
    cleared: (topic) => store.ledger.cleared(topic),
    hasValues: (device) => store.newest(device).size > 0,
    forgetValues: (device) => store.forgetNewest(device),
  };
}
