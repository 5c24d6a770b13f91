import type { Config } from "../../config/schema/config.ts";
import type { Clock } from "../../core/clock.ts";
import { GATEWAY } from "../../core/device.ts";
import { GatewayError } from "../../core/errors.ts";
import {
  type DecommissionPorts,
  type DecommissionRequest,
  type DecommissionResult,
  decommission,
} from "../../lifecycle/decommission.ts";
import { type LedgerAtRest, openLedgerAtRest, storeOwner } from "../../store/ledger-at-rest.ts";
import { brokerIdentity } from "../../uplink/broker-identity.ts";
import { FROZEN_ID } from "../identity.ts";
import { hasRealOutputs } from "../last-will.ts";
import type { DeviceAddress } from "../open-device.ts";
import { uplinkOptions } from "../options.ts";
import { isKept, smallKey, smallKeysOf, valuedDevices } from "../small-values.ts";
import { Audits } from "./audits.ts";
import { Call } from "./departure.ts";
import { entityIdOf } from "./renames.ts";

/** Who looks from a machine that is no gateway. */
const STRANGER = "fieldpost-visitor";

export interface AtRestDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly uid: number;
  readonly signal: AbortSignal;
}

export interface DecommissionDeps extends AtRestDeps {
  /** Puts outputs into their safe states; tells of those that cannot be. */
  makeSafe(outputs: readonly DeviceAddress[]): Promise<unknown>;
}

/**
 * Ends a device, or the gateway, while no service runs, over a connection of its own; what the broker keeps from that the
 * next start finishes. Rejects with SERVICE_UNREACHABLE where the store is another user's. Readings that wait stay in
 * the store: the next start delivers them.
 */
export async function decommissionAtRest(
  config: Config,
  id: string,
  request: DecommissionRequest,
  deps: DecommissionDeps,
): Promise<DecommissionResult> {
  if (request.discard) {
    throw new GatewayError("SERVICE_UNREACHABLE", "readings that wait are dropped by the service, and none is running");
  }
  await using ledger = await openAtRest(config, deps);
  const options = uplinkOptions(config, { id: gatewayId(config, ledger), instance: ledger.instance }, "");
  await using call = new Call({ ...deps, options });
  const broker = await brokerAtRest(config, call);
  return await decommission(request, portsAtRest(config, id, ledger, { call, broker }, deps));
}

/** Of several addresses, the one that answers: what is cleared there is cleared nowhere else. */
async function brokerAtRest({ mqtt: { urls } }: Config, call: Call): Promise<string> {
  const [url] = urls;
  if (url === undefined) return brokerIdentity("", { broker: "bundled" });
  const link = urls.length > 1 ? await call.link().catch(() => undefined) : undefined;
  return brokerIdentity(link?.url ?? url, { broker: "external" });
}

function portsAtRest(
  { devices, mqtt }: Config,
  id: string,
  ledger: LedgerAtRest,
  { call, broker }: { readonly call: Call; readonly broker: string },
  { clock, makeSafe }: DecommissionDeps,
): DecommissionPorts {
  // What was left on hold goes on being driven though nobody runs.
  let held = devices.filter(
    (device) => (id === GATEWAY || device.id === id) && device.enabled && hasRealOutputs(device),
  );
  const reach = () => {
    if (mqtt.urls.length === 0)
      throw new GatewayError("BROKER_UNREACHABLE", "the bundled broker runs with the service");
    return call;
  };
  return {
    id,
    isKnown: () => id === GATEWAY || devices.some((configured) => configured.id === id) || isKept(id, ledger),
    isTombstoned: () => ledger.isTombstoned(id),
    tombstone: () => ledger.setTombstone(id, clock.wallMs()),
    isRunning: () => held.length > 0,
    async stop() {
      await makeSafe(held);
      held = [];
    },
    waiting: async () => 0,
    discard: async () => undefined,
    broker: () => broker,
    entries: () => ledger.ledger.topics(id === GATEWAY ? "all" : { device: id }),
    clearRetained: async (topics) => await reach().clearRetained(topics),
    retainedAmong: async (topics) => await reach().retainedAmong(topics),
    cleared: (topic) => ledger.ledger.cleared(topic, broker),
    hasValues: () => !isForgotten(id, ledger),
    forgetValues: () => forgetAtRest(id, ledger),
  };
}

/**
 * Looks at, or clears, what is retained while no service runs, over a connection of its own; on a machine without a store,
 * which may be any that reaches the broker, without a ledger. Rejects with SERVICE_UNREACHABLE where the broker runs with
 * the service.
 */
export async function auditAtRest<T>(
  config: Config,
  deps: AtRestDeps,
  look: (audits: Audits) => Promise<T>,
): Promise<T> {
  const [url] = config.mqtt.urls;
  if (url === undefined) {
    throw new GatewayError("SERVICE_UNREACHABLE", "no service is running, and the bundled broker runs with it");
  }
  const owner = storeOwner(config.store.path);
  await using opened = owner === deps.uid ? await openLedgerAtRest(config.store.path, deps.clock) : undefined;
  const id = opened ? gatewayId(config, opened) : (config.gateway.id ?? STRANGER);
  const instance = opened?.instance ?? Math.floor(deps.random() * 2 ** 32).toString(16);
  const audits = new Audits({
    ...deps,
    config: () => config,
    gatewayId: id,
    options: uplinkOptions(config, { id, instance }, ""),
    ledger: opened?.ledger ?? { topics: async () => [], cleared: async () => undefined },
    entityId: (device) => (opened ? entityIdOf(opened, device) : device),
    broker: () => brokerIdentity(url, { broker: "external" }),
  });
  return await look(audits);
}

/** Lets a device, or the gateway, come back at the next start. Rejects with DEVICE_UNKNOWN for one that was not decommissioned. */
export async function reviveAtRest(config: Config, id: string, deps: AtRestDeps): Promise<void> {
  await using ledger = await openAtRest(config, deps);
  if (!ledger.isTombstoned(id)) throw new GatewayError("DEVICE_UNKNOWN", `"${id}" was not decommissioned`);
  // Its end may have been cut off before that.
  await forgetAtRest(id, ledger);
  await ledger.setTombstone(id, undefined);
}

/** What is only staged cannot be seen from here: the mark has the next start see to that. */
function isForgotten(id: string, ledger: LedgerAtRest): boolean {
  const keys = smallKeysOf(id, ledger.metaKeys());
  return keys.length === 1 && keys[0] === smallKey("forget", id) && valuedDevices(id, ledger).length === 0;
}

async function forgetAtRest(id: string, ledger: LedgerAtRest): Promise<void> {
  await ledger.forget(smallKeysOf(id, ledger.metaKeys()), valuedDevices(id, ledger), smallKey("forget", id));
}

function gatewayId({ gateway }: Config, ledger: Pick<LedgerAtRest, "getMeta">): string {
  return gateway.id ?? ledger.getMeta(FROZEN_ID) ?? "";
}

async function openAtRest({ store }: Config, { clock, uid }: AtRestDeps): Promise<LedgerAtRest> {
  const owner = storeOwner(store.path);
  const why = () => {
    if (owner === undefined) return `there is no store in ${store.path}`;
    return owner === uid ? undefined : `the store in ${store.path} belongs to another user (${owner})`;
  };
  const reason = why();
  if (reason)
    throw new GatewayError("SERVICE_UNREACHABLE", `no service is running on this configuration's store, and ${reason}`);
  return await openLedgerAtRest(store.path, clock);
}
