import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import type { GatewayError } from "../core/errors.ts";
import type { BrokerFacts, GatewayInfo } from "../core/gateway.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { Stamp, Value } from "../core/reading.ts";
import { anchoredTime, type ResolvedTime, resolveTime } from "../core/timeline.ts";
import type { RetainedMessage } from "../core/topics.ts";
import type { Store } from "../store/store.ts";
import type { Receipts } from "./backlog/receipts.ts";
import { Suspects } from "./backlog/suspects.ts";
import { Throttle } from "./backlog/throttle.ts";
import type { ConnectOptions } from "./client/connect-options.ts";
import type { Incoming, Link, Qos, Refusal } from "./link.ts";
import type { Events } from "./live/events.ts";
import type { Fault } from "./live/payloads.ts";
import type { UplinkOptions } from "./options.ts";
import type { CommandHandler } from "./requests/commands.ts";
import type { RequestHandler } from "./requests/requests.ts";

/** What others want to hear from the broker. Made anew at every connection. */
export interface Subscription {
  readonly filter: string;
  /** Shall `retained` say that it was published to be retained, also where it comes live (MQTT 5)? */
  readonly retainAsPublished?: true;
  /** 1 unless said otherwise. */
  readonly qos?: Qos;
  /** Must not throw. `link` is the connection that it came over. */
  onMessage(message: Incoming, link: Link): void;
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
  /** One of them went out, with what comes before it. */
  discovered?(message: RetainedMessage): void;
  /** A topic whose place one of them took was seen to be empty. */
  replaced?(topic: string, device: string | undefined): void;
  /** A discovery topic is empty that was not, though nobody here emptied it. */
  missing?(topic: string): void;
  readonly subscriptions: readonly Subscription[];
  /** What others answer under `request/<name>`. */
  readonly requests?: ReadonlyMap<string, RequestHandler>;
  /** Who carries commands out; without one nobody listens to them. */
  readonly commands?: CommandHandler;
  connectionChanged?(connected: boolean): void;
  /** Everything that there is to know was said over a new connection. Must not throw. */
  announced?(): void;
  /** The newest version that is told of. */
  latestVersion?(): string | undefined;
  /** How the machine is. */
  vitals?(): Readonly<Record<string, Value>>;
  /** What else is not well. */
  faults?(): readonly Fault[];
  /** The broker that runs in this process, where one does. */
  readonly bundled?: { facts(): BrokerFacts; faults(): readonly Fault[] };
  /** How a broker is reached: over MQTT, unless a test says otherwise. */
  readonly connect?: Connect;
}

/** One of the further connections. */
export interface FurtherState {
  readonly connected: boolean;
  readonly lastError?: GatewayError;
}

/** What one connection leaves to the next. */
export interface Memory {
  /** Devices for which nothing retained is published any more. */
  readonly forgotten: Set<string>;
  /** Topics that the broker does not allow us, with the reason code. */
  readonly forbidden: Map<string, number>;
  readonly suspects: Suspects;
  /** Topics that the broker drops the link over, with the payload's length: shorter ones are tried. */
  readonly banned: Map<string, number>;
  readonly throttle: Throttle;
  /** When each kind of gap was told of last, however many connections ago. */
  readonly gapsTold: Map<string, number>;
  /** The highest position that was ever handed to a connection. */
  sentTo: number;
  /** How the further connections are; empty with `connections: 1`. */
  readonly further: Map<number, FurtherState>;
  /** How long we were connected before this connection. */
  connectedMs: number;
  rival: Fault | undefined;
  /** The other installation that had fallen silent: what it left behind on the broker is no sign of life. */
  outlasted: string | undefined;
  /** The connection is only there to see whether a rival lives: it has no will. */
  isScouting: boolean;
  /** How often another client took our client id, as far as it has not been quiet since. */
  takenOver: number;
  readonly startedMonoMs: number;
}

export interface Settings {
  readonly options: UplinkOptions;
  readonly deps: UplinkDeps;
}

export interface Context extends Settings {
  readonly memory: Memory;
  readonly receipts: Receipts;
  readonly events: Pick<Events, "counts">;
  /** Those of `deps`, and our own. */
  readonly subscriptions: readonly Subscription[];
}

export function newMemory(clock: Clock): Memory {
  return {
    forgotten: new Set(),
    forbidden: new Map(),
    suspects: new Suspects(),
    banned: new Map(),
    throttle: new Throttle(clock),
    gapsTold: new Map(),
    sentTo: 0,
    further: new Map(),
    connectedMs: 0,
    rival: undefined,
    outlasted: undefined,
    isScouting: false,
    takenOver: 0,
    startedMonoMs: clock.monoMs(),
  };
}

/** The wall time of a stamp, with the anchors as they are now. */
export function timeOf(
  { store, clock }: { readonly store: Pick<Store, "boots">; readonly clock: Clock },
  at: Stamp,
): ResolvedTime {
  return anchoredTime(store.boots(), at) ?? resolveTime(store.boots(), at, clock.wallMs() - clock.monoMs());
}
