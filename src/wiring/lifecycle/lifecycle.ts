import type { Config } from "../../config/schema/config.ts";
import type { Board } from "../../core/board.ts";
import type { Clock } from "../../core/clock.ts";
import type { GatewayInfo } from "../../core/gateway.ts";
import type { Log } from "../../core/log.ts";
import type { Random } from "../../core/random.ts";
import { runTogether } from "../../service/run-together.ts";
import type { LedgerEntry, Store } from "../../store/store.ts";
import type { Fault } from "../../uplink/live/payloads.ts";
import type { UplinkOptions } from "../../uplink/options.ts";
import type { Uplink } from "../../uplink/uplink.ts";
import type { Roster } from "../roster.ts";
import { Audits, type AuditsParts } from "./audits.ts";
import { Decommissions } from "./decommissions.ts";
import { Departure } from "./departure.ts";
import { endRemovedDevices } from "./removed-devices.ts";
import { entityIdOf, formerIds } from "./renames.ts";

export interface LifecycleParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly gateway: GatewayInfo;
  readonly log: Log;
  readonly options: UplinkOptions;
  readonly random: Random;
  readonly roster: Roster;
  readonly signal: AbortSignal;
  readonly store: Store;
  readonly uplink: Uplink;
  /** Of the bundled broker: topics on which nothing was published for so long. */
  readonly retainedFor?: AuditsParts["retainedFor"] & {};
  /** The configuration as it is now. */
  config(): Config;
  /** The gateway itself is ended: nothing is left to run for. */
  gatewayEnded(): void;
}

/** How devices and the gateway end, and what is found of those that ended otherwise. */
export interface Lifecycle extends AsyncDisposable {
  readonly audits: Audits;
  readonly decommissions: Decommissions;
  /** Retained topics that nobody feeds, though they are ours to clear. */
  faults(): readonly Fault[];
  /** Nothing is announced of what was decommissioned. */
  prepare(): Promise<void>;
  /** The uplink as long as there is something to deliver, and what ends in the meantime. */
  run(signal: AbortSignal): Promise<void>;
}

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { config, gateway, log, store, uplink } = parts;
  const departure = new Departure(parts);
  const former = () => formerIds(config().devices);
  const isConfigured = (id: string) => config().devices.some((device) => device.id === id) || former().has(id);
  const own = { log: log.part("decommission"), departure, isConfigured, formerIds: former };
  const decommissions = new Decommissions({ ...parts, ...own });
  const { graceMs } = config().removedDevices;
  const removed = { ...parts, ...own, decommissions, graceMs };
  return {
    decommissions,
    audits: new Audits({
      ...parts,
      gatewayId: gateway.id,
      ledger: store.ledger,
      broker: () => uplink.broker(),
      entityId: (device) => entityIdOf(store, device),
    }),
    faults: () => unfedTopics(parts),
    prepare: () => decommissions.keepQuiet(),
    run: (signal) =>
      runTogether(signal, [
        (inner) => decommissions.whileNeeded(() => departure.whileStaying((until) => uplink.run(until), inner)),
        (inner) => decommissions.run(inner),
        (inner) => endRemovedDevices(removed, inner),
      ]),
    [Symbol.asyncDispose]: () => departure[Symbol.asyncDispose](),
  };
}

/**
 * More topics than the devices have that are configured, or were until a moment ago: their number grew without a device
 * being added, and clearing them was refused.
 */
function unfedTopics({ board, store, uplink }: LifecycleParts): Fault[] {
  const current = uplink.currentTopics();
  const isExpected = ({ topic, device }: LedgerEntry) =>
    current.has(topic) || (device !== undefined && board.get(device) === undefined);
  const unfed = store.ledger.at(uplink.broker()).filter((entry) => !isExpected(entry));
  if (unfed.length === 0) return [];
  const message = `${unfed.length} retained topics belong to no configured device (${unfed[0]?.topic}): see \`fieldpost retained\``;
  return [{ code: "RETAINED_UNFED", message }];
}
