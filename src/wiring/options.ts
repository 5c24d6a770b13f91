import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Broker } from "../broker/broker.ts";
import type { BoundAddress } from "../broker/listeners/listen.ts";
import type { BrokerOptions, ListenerOptions } from "../broker/options.ts";
import { version } from "../cli/version.ts";
import type { ListenerConfig } from "../config/schema/broker.ts";
import type { Config } from "../config/schema/config.ts";
import { GatewayError } from "../core/errors.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import { topicsOf } from "../core/topics.ts";
import type { SinkOptions } from "../sink/sink.ts";
import type { StoreOptions } from "../store/options.ts";
import { type UplinkOptions, uplinkDefaults } from "../uplink/options.ts";
import { historyReaders } from "./history.ts";

/** The configuration in each station's own terms. */

export function storeOptions({ store }: Config, runtimeDirectory: string): StoreOptions {
  return { ...store, stagingPath: join(runtimeDirectory, "staging") };
}

/** Where the gateway's own uplink reaches the bundled broker: whatever its listeners and passwords are. */
export function privateSocket(runtimeDirectory: string): string {
  return join(runtimeDirectory, "broker.sock");
}

export function brokerOptions(broker: Config["broker"], privatePath?: string): BrokerOptions {
  const listeners = broker.listeners.map(listenerOptions);
  const { keepAliveMs, sessionExpiryMs, publishRate, ...limits } = broker.limits;
  return {
    listeners: [...listeners, ...(privatePath ? [{ ...ownWayIn, path: privatePath }] : [])],
    limits: {
      ...limits,
      keepAliveS: keepAliveMs / 1000,
      sessionExpiryS: sessionExpiryMs / 1000,
      ...(publishRate && { publishRate }),
    },
    autoIdPrefix: broker.autoIdPrefix,
    sysIntervalMs: broker.sysIntervalMs,
    product: `fieldpost version ${version()}`,
  };
}

function listenerOptions({ endpoint, ...listener }: ListenerConfig): ListenerOptions {
  const { kind: _, ...where } = endpoint;
  return { ...where, ...listener };
}

/** What the uplink retains, the store's ledger knows and announces again at a start: the broker need not write it too. */
const ownWayIn = { mode: 0o600, identity: "fieldpost", volatile: true } as const;

/** `windowMs` is what holds where the configuration does not say. */
export function brokerPersistence(
  broker: Config["broker"],
  storePath: string,
  runtimeDirectory: string,
  windowMs: number,
): Pick<BrokerOptions, "persistence"> {
  if (!broker.persistence) return {};
  return {
    persistence: {
      directory: storePath,
      stagingPath: join(runtimeDirectory, "broker-staging"),
      windowMs: broker.persistenceWindowMs ?? windowMs,
    },
  };
}

/** What a power cut may cost the broker's clients under `run`, unless the configuration says otherwise: as much as of readings. */
const GATEWAY_WINDOW_MS = 5000;

/** The bundled broker beside the gateway, with its way in for the gateway's own uplink. */
export function gatewayBrokerOptions(config: Config, runtimeDirectory: string): BrokerOptions {
  return {
    ...brokerOptions(config.broker, privateSocket(runtimeDirectory)),
    ...brokerPersistence(config.broker, config.store.path, runtimeDirectory, GATEWAY_WINDOW_MS),
  };
}

export function uplinkOptions(
  config: Config,
  gateway: Pick<GatewayInfo, "id" | "instance">,
  runtimeDirectory: string,
): UplinkOptions {
  const { mqtt, homeAssistant } = config;
  const external = mqtt.urls.length > 0;
  return {
    ...uplinkDefaults,
    urls: external ? mqtt.urls : [`unix:${privateSocket(runtimeDirectory)}`],
    protocol: mqtt.protocol,
    clientId: mqtt.clientId ?? `${gateway.id}-${gateway.instance.slice(0, 8)}`,
    topics: topicsOf(mqtt.baseTopic, gateway.id),
    ...(external && credentials(mqtt)),
    keepAliveMs: mqtt.keepAliveMs,
    connections: mqtt.connections,
    consumers: mqtt.publish.includes("readings") ? mqtt.consumers : [],
    readers: historyReaders(config),
    // Another gateway's requests and commands would be obeyed there.
    foreignPrefixes: [`${homeAssistant.discoveryPrefix}/`, `${mqtt.baseTopic}/`],
    ...(Number.isFinite(mqtt.drainRate) && { drainRate: mqtt.drainRate }),
    publish: { state: mqtt.publish.includes("state"), readings: mqtt.publish.includes("readings") },
    qos: mqtt.qos,
    retainState: homeAssistant.expireAfterMs === undefined,
  };
}

/** A consumer beside the gateway: at the same broker; at the bundled one by a listener, as anybody else. */
export function sinkOptions({ mqtt, broker }: Config): Omit<SinkOptions, "consumer" | "database"> {
  const urls = mqtt.urls.length > 0 ? mqtt.urls : broker.listeners.flatMap(plainUrl);
  if (urls.length === 0) {
    throw new GatewayError("USAGE_INVALID", "the bundled broker has no plain TCP listener to connect to: give --url");
  }
  return { urls, protocol: mqtt.protocol, baseTopic: mqtt.baseTopic, ...credentials(mqtt) };
}

function plainUrl({ endpoint, tls, protocol }: ListenerConfig): string[] {
  return endpoint.kind === "tcp" && !tls && protocol === "mqtt" ? [`mqtt://127.0.0.1:${endpoint.port}`] : [];
}

function credentials({ username, password, tls }: Config["mqtt"]): Partial<UplinkOptions> {
  const pem = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, "utf8"));
  const ca = pem(tls?.caFile);
  const cert = pem(tls?.certFile);
  const key = pem(tls?.keyFile);
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } }),
  };
}

/** As people type it into a client: the listeners of the configuration, without the gateway's own way in. */
export function shownAddresses(addresses: Broker["addresses"], privatePath?: string): string[] {
  return addresses
    .filter((bound) => !("path" in bound && bound.path === privatePath))
    .map((bound) => ("path" in bound ? `unix:${bound.path}` : urlOf(bound)));
}

function urlOf({ scheme, address, port }: Exclude<BoundAddress, { path: string }>): string {
  return `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
