import type { Board } from "../../core/board.ts";
import type { Clock } from "../../core/clock.ts";
import { GATEWAY } from "../../core/device.ts";
import { GatewayError } from "../../core/errors.ts";
import type { DecommissionPorts } from "../../lifecycle/decommission.ts";
import { DESTINATION } from "../../store/destination.ts";
import type { Store } from "../../store/store.ts";
import type { Uplink } from "../../uplink/uplink.ts";
import type { Roster } from "../roster.ts";
import { forgetDevice, isKept, isLeft } from "../small-values.ts";
import type { Departure } from "./departure.ts";

export interface DecommissionParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly roster: Roster;
  readonly store: Store;
  readonly uplink: Uplink;
  /** How the gateway leaves its broker. */
  readonly departure: Departure;
  /** Is it in the configuration? */
  isConfigured(device: string): boolean;
}

/** Why readings that were waiting were dropped. */
const REASON = "decommissioned";
const LOOK_MS = 200;

/** A device of the running gateway as the decommissioning steps see it. */
export function devicePorts(device: string, parts: DecommissionParts): DecommissionPorts {
  const { board, clock, departure, roster, store, uplink } = parts;
  const over = departure.hasLeft() ? departure : uplink;
  return {
    id: device,
    isKnown: () => board.get(device) !== undefined || parts.isConfigured(device) || isKept(device, store),
    isTombstoned: () => store.tombstones().has(device),
    async tombstone() {
      await store.addTombstone(device, clock.wallMs());
      await uplink.forget(device);
    },
    isRunning: () => roster.has(device),
    async stop() {
      await roster.remove(device, { safe: true });
      await uplink.forget(device);
    },
    waiting: () => store.outbox.waiting(device),
    discard: () => store.outbox.discard(device, REASON),
    broker: () => uplink.broker(),
    entries: () => store.ledger.topics({ device }),
    clearRetained: (topics) => over.clearRetained(topics),
    retainedAmong: (topics) => over.retainedAmong(topics),
    cleared: (topic) => store.ledger.cleared(topic, uplink.broker()),
    hasValues: () => isLeft(device, store),
    forgetValues: () => forgetDevice(device, store),
  };
}

/** The whole gateway: its readings are delivered before it leaves, and what is retained is cleared after that. */
export function gatewayPorts(parts: DecommissionParts): DecommissionPorts {
  const { clock, departure, roster, store, uplink } = parts;
  const waiting = async () => store.counters(DESTINATION).pending;
  return {
    id: GATEWAY,
    isKnown: () => true,
    isTombstoned: () => store.tombstones().has(GATEWAY),
    tombstone: () => store.addTombstone(GATEWAY, clock.wallMs()),
    isRunning: () => roster.ids().length > 0,
    async stop() {
      for (const id of roster.ids()) await roster.remove(id, { safe: true });
    },
    waiting,
    discard: () => store.outbox.discard(undefined, REASON),
    async deliver() {
      while ((await waiting()) > 0) {
        const { connected, url } = uplink.linkState();
        if (departure.hasLeft()) throw new GatewayError("BROKER_UNREACHABLE", "it has left the broker already");
        if (!connected) throw new GatewayError("BROKER_UNREACHABLE", `not connected to ${url}`);
        await clock.sleep(LOOK_MS);
      }
    },
    session: { hasEnded: () => departure.hasLeft(), end: () => departure.leave() },
    broker: () => uplink.broker(),
    entries: () => store.ledger.topics("all"),
    clearRetained: (topics) => departure.clearRetained(topics),
    retainedAmong: (topics) => departure.retainedAmong(topics),
    cleared: (topic) => store.ledger.cleared(topic, uplink.broker()),
    hasValues: () => isLeft(GATEWAY, store),
    forgetValues: () => forgetDevice(GATEWAY, store),
  };
}
