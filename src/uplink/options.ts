import type { Topics } from "../core/topics.ts";
import type { ClientTls, Secret } from "./client/connect-options.ts";
import type { Qos } from "./link.ts";

/** What the uplink needs to know. Durations are milliseconds. */
export interface UplinkOptions {
  /** Tried in turn; the one that was reached is kept until it is lost. */
  readonly urls: readonly string[];
  readonly protocol: "auto" | "5" | "3.1.1";
  /** Stable per installation: two with one id would throw each other out. */
  readonly clientId: string;
  readonly topics: Topics;
  readonly username?: string;
  readonly password?: string | Secret;
  readonly tls?: ClientTls;
  readonly keepAliveMs: number;
  readonly connectTimeoutMs: number;
  readonly ackTimeoutMs: number;
  /** How many connections share the devices. */
  readonly connections: number;
  /** Unacknowledged readings at a time and connection; the broker's receive maximum lowers it. */
  readonly window: number;
  /** Backlog messages a second; absent: unlimited. */
  readonly drainRate?: number;
  /** Those that send receipts. */
  readonly consumers: readonly string[];
  /** Parts of this gateway that read along: what they have not read yet is kept for them as for a consumer. */
  readonly readers: readonly string[];
  /** What a consumer has not confirmed for so long is sent again. */
  readonly receiptTimeoutMs: number;
  /** Topics, by their beginnings, on which no request is answered: others go by what is written there. */
  readonly foreignPrefixes: readonly string[];
  readonly publish: { readonly state: boolean; readonly readings: boolean };
  readonly qos: { readonly state: Qos; readonly readings: Qos; readonly commands: Qos };
  /** False for those who use `expire_after`, which a retained state would restart. */
  readonly retainState: boolean;
  /** How long a reading of uncertain time waits for the clock while connected. */
  readonly holdEstimatedMs: number;
  /** `online` and `state` are refreshed so often, and expire after three times as long. */
  readonly heartbeatMs: number;
  readonly health: { readonly soonestMs: number; readonly latestMs: number };
  readonly reconnect: Backoff & { readonly stableMs: number };
}

export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

export const uplinkDefaults = {
  protocol: "auto",
  keepAliveMs: 30_000,
  connectTimeoutMs: 15_000,
  ackTimeoutMs: 30_000,
  connections: 1,
  consumers: [],
  readers: [],
  receiptTimeoutMs: 60_000,
  foreignPrefixes: [],
  window: 100,
  publish: { state: true, readings: true },
  qos: { state: 1, readings: 1, commands: 1 },
  retainState: true,
  holdEstimatedMs: 600_000,
  heartbeatMs: 100_000,
  health: { soonestMs: 10_000, latestMs: 60_000 },
  reconnect: { minMs: 1000, maxMs: 60_000, stableMs: 30_000 },
} as const satisfies Partial<UplinkOptions>;
