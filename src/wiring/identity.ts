import type { GatewayInfo } from "../core/gateway.ts";
import { defaultGatewayId, type HostFacts } from "../service/host-facts.ts";
import type { Store } from "../store/store.ts";

/** Where the store keeps an id that nobody configured. */
export const FROZEN_ID = "gateway_id";

const STARTS = "starts";

export interface Configured {
  readonly id?: string;
  readonly name?: string;
  readonly area?: string;
}

/**
 * Who this gateway is. An id that nobody configured is made up once and frozen in the store, so that a new host name or
 * board does not make a new gateway of an old one.
 */
export function identify(
  store: Store,
  configured: Configured,
  { host, version }: { readonly host: HostFacts; readonly version: string },
  broker: GatewayInfo["broker"],
): GatewayInfo {
  const id = configured.id ?? store.getMeta(FROZEN_ID) ?? defaultGatewayId(host);
  if (configured.id === undefined) store.setMeta(FROZEN_ID, id);
  const starts = Number(store.getMeta(STARTS) ?? 0) + 1;
  store.setMeta(STARTS, String(starts));
  return {
    id,
    name: configured.name ?? id,
    ...(configured.area && { area: configured.area }),
    instance: store.instance,
    version,
    host: host.host,
    kernel: host.kernel,
    ...(host.model && { model: host.model }),
    broker,
    epoch: store.epoch,
    starts,
  };
}
