import type { Config } from "../config/schema/config.ts";
import type { Clock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import { type DecommissionPorts, type DecommissionResult, decommission } from "../lifecycle/decommission.ts";
import { type LedgerAtRest, openLedgerAtRest, storeOwner } from "../store/ledger-at-rest.ts";
import { callBroker } from "../uplink/call.ts";
import type { Link } from "../uplink/link.ts";
import { clearRetained, readRetained } from "../uplink/retained.ts";
import { FROZEN_ID } from "./identity.ts";
import { uplinkOptions } from "./options.ts";

export interface AtRestDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly uid: number;
  readonly signal: AbortSignal;
}

/**
 * Ends a device while no service runs, over a connection of its own. Rejects with SERVICE_UNREACHABLE where only a
 * service can do it: the bundled broker runs with it, and the store may be another user's.
 */
export async function decommissionAtRest(
  config: Config,
  device: string,
  dryRun: boolean,
  deps: AtRestDeps,
): Promise<DecommissionResult> {
  await using ledger = await openAtRest(config, deps);
  const id = config.gateway.id ?? ledger.getMeta(FROZEN_ID) ?? "";
  const options = uplinkOptions(config, { id, instance: ledger.instance }, "");
  let calling: Promise<Link> | undefined;
  const link = () => {
    calling ??= callBroker(options, deps.clock, deps.signal);
    return calling;
  };
  const ports: DecommissionPorts = {
    isKnown: (candidate) => config.devices.some((configured) => configured.id === candidate),
    isSampled: () => false,
    stop: async () => undefined,
    isTombstoned: (candidate) => ledger.isTombstoned(candidate),
    tombstone: (candidate) => ledger.setTombstone(candidate, deps.clock.wallMs()),
    ledgerTopics: async (candidate) => ledger.topics(candidate),
    clearRetained: async (cleared) => await clearRetained(await link(), cleared),
    async retainedAmong(among) {
      const { topics } = options;
      const reader = { link: await link(), topics, clock: deps.clock, random: deps.random, kept: new Set<string>() };
      return [...(await readRetained(reader, among)).keys()];
    },
    cleared: (topic) => ledger.cleared(topic),
    hasValues: (candidate) => ledger.hasValues(candidate),
    forgetValues: (candidate) => ledger.forgetValues(candidate),
  };
  try {
    return await decommission(device, dryRun, ports);
  } finally {
    await calling?.then(
      (open) => open.end(),
      () => undefined,
    );
  }
}

/** Lets a device come back at the next start. Rejects with DEVICE_UNKNOWN for one that was not decommissioned. */
export async function reviveAtRest(config: Config, device: string, deps: AtRestDeps): Promise<void> {
  await using ledger = await openAtRest(config, deps);
  if (!ledger.isTombstoned(device)) {
    throw new GatewayError("DEVICE_UNKNOWN", `"${device}" was not decommissioned`);
  }
  await ledger.setTombstone(device, undefined);
}

async function openAtRest({ mqtt, store }: Config, { clock, uid }: AtRestDeps): Promise<LedgerAtRest> {
  const why = () => {
    if (mqtt.urls.length === 0) return "the bundled broker runs with the service";
    const owner = storeOwner(store.path);
    if (owner === undefined) return `there is no store in ${store.path}`;
    return owner === uid ? undefined : `the store in ${store.path} belongs to another user (${owner})`;
  };
  const reason = why();
  if (reason)
    throw new GatewayError("SERVICE_UNREACHABLE", `no service is running on this configuration's store, and ${reason}`);
  return await openLedgerAtRest(store.path, clock);
}
