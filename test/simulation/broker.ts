import type { Incoming, Publication } from "../../src/uplink/link.ts";
import { REASON } from "../../src/uplink/link.ts";
import type { Chance } from "./chance.ts";

/** How the broker, and the way to it, behave at the moment. */
export interface Manners {
  /** The way to it carries nothing: neither connections nor what is under way on one. */
  silent: boolean;
  /** Why a connection is refused; undefined: it is taken. */
  refusesConnections: "unreachable" | "busy" | "silent" | undefined;
  acknowledges: boolean;
  /** One way, at most. */
  delayMs: number;
  /** This share of the readings is refused with this reason code. */
  refusal: { readonly code: number; readonly share: number } | undefined;
}

export const GOOD_MANNERS: Manners = {
  silent: false,
  refusesConnections: undefined,
  acknowledges: true,
  delayMs: 10,
  refusal: undefined,
};

/** One side of a connection, as the broker sees it. */
export interface Subscriber {
  readonly number: number;
  readonly filters: Set<string>;
  receive(message: Incoming): void;
  /** Another connection came under the same client id: nothing that is under way on this one is read any more. */
  replaced(): void;
}

/** What a consumer that is always there hears of. */
export interface Listener {
  published(connection: number, topic: string, payload: string): void;
  refused(connection: number, topic: string, payload: string): void;
}

/** A broker that takes what comes, in the order in which it comes, and keeps what is retained. */
export class SimulatedBroker {
  manners: Manners = { ...GOOD_MANNERS };
  readonly retained = new Map<string, string>();
  readonly #chance: Chance;
  readonly #listener: Listener;
  readonly #subscribers = new Set<Subscriber>();
  #connections = 0;

  constructor(chance: Chance, listener: Listener) {
    this.#chance = chance;
    this.#listener = listener;
  }

  /** Connections are numbered as they come. */
  nextConnection(): number {
    this.#connections += 1;
    return this.#connections;
  }

  /** All of them have one client id ([MQTT-3.1.4-3]). */
  add(subscriber: Subscriber): void {
    for (const other of [...this.#subscribers]) other.replaced();
    this.#subscribers.add(subscriber);
  }

  remove(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Returns the reason code. */
  publish(connection: number, { topic, payload, retain = false, qos }: Publication): number {
    const { refusal } = this.manners;
    if (refusal && topic.endsWith("/readings") && this.#chance.happens(refusal.share)) {
      this.#listener.refused(connection, topic, payload);
      return refusal.code;
    }
    if (retain && payload === "") this.retained.delete(topic);
    else if (retain) this.retained.set(topic, payload);
    this.#listener.published(connection, topic, payload);
    for (const subscriber of this.#subscribers) {
      if (subscriber.filters.has(topic)) subscriber.receive(incoming(topic, payload, qos, false));
    }
    return REASON.success;
  }

  subscribe(subscriber: Subscriber, filters: readonly string[]): void {
    for (const filter of filters) {
      subscriber.filters.add(filter);
      const kept = this.retained.get(filter);
      if (kept !== undefined) subscriber.receive(incoming(filter, kept, 1, true));
    }
  }
}

function incoming(topic: string, payload: string, qos: Incoming["qos"], retained: boolean): Incoming {
  return { topic, payload: Buffer.from(payload), qos, retained };
}
