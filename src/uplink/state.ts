import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { Stamp } from "../core/reading.ts";
import { type ResolvedTime, resolveTime } from "../core/timeline.ts";
import type { RetainedMessage } from "../core/topics.ts";
import type { Store } from "../store/store.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { Incoming, Link, Refusal } from "./link.ts";
import type { UplinkOptions } from "./options.ts";
import type { Fault } from "./payloads.ts";

/** What others want to hear from the broker. Made anew at every connection. */
export interface Subscription {
  readonly filter: string;
  /** Must not throw. */
  onMessage(message: Incoming): void;
}

export type ConnectOutcome = { readonly link: Link } | { readonly refused: Refusal };

/** Connects once; resolves with the link or with why there is none, and rejects only with the signal's reason. */
export type Connect = (options: ConnectOptions, clock: Clock, signal: AbortSignal) => Promise<ConnectOutcome>;

export interface UplinkDeps {
  readonly store: Pick<Store, "outbox" | "ledger" | "counters" | "faults" | "usage" | "boots">;
  readonly board: Board;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly gateway: GatewayInfo;
  /** Home Assistant's discovery messages as of now, the gateway's own first. */
  readonly discovery: () => readonly RetainedMessage[];
  readonly subscriptions: readonly Subscription[];
  /** How a broker is reached: over MQTT, unless a test says otherwise. */
  readonly connect?: Connect;
}

/** What one connection leaves to the next. */
export interface Memory {
  /** Devices for which nothing retained is published any more. */
  readonly forgotten: Set<string>;
  /** Topics that the broker does not allow us, with the reason code. */
  readonly forbidden: Map<string, number>;
  /** The reading that was under way when the broker dropped the link, and how often in a row that was so. */
  suspect: { readonly position: number; readonly tries: number } | undefined;
  /** How long we were connected before this connection. */
  connectedMs: number;
  rival: Fault | undefined;
  readonly startedMonoMs: number;
}

export interface Context {
  readonly options: UplinkOptions;
  readonly deps: UplinkDeps;
  readonly memory: Memory;
}

export function newMemory(clock: Clock): Memory {
  return {
    forgotten: new Set(),
    forbidden: new Map(),
    suspect: undefined,
    connectedMs: 0,
    rival: undefined,
    startedMonoMs: clock.monoMs(),
  };
}

/** The wall time of a stamp, with the anchors as they are now. */
export function timeOf({ store, clock }: Pick<UplinkDeps, "store" | "clock">, at: Stamp): ResolvedTime {
  return resolveTime(store.boots(), at, clock.wallMs() - clock.monoMs());
}
