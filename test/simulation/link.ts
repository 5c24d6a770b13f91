import { GatewayError } from "../../src/core/errors.ts";
import type { ConnectOptions } from "../../src/uplink/client/connect-options.ts";
import { Gate } from "../../src/uplink/client/gate.ts";
import type { Incoming, Link, LinkEnd, Publication } from "../../src/uplink/link.ts";
import type { Connect } from "../../src/uplink/state.ts";
import type { SimulatedBroker, Subscriber } from "./broker.ts";
import type { Chance } from "./chance.ts";
import { Lane } from "./lane.ts";
import type { Time } from "./time.ts";

const URL = "mqtt://broker";
const RECEIVE_MAXIMUM = 10;

export interface Network {
  readonly time: Time;
  readonly chance: Chance;
  readonly broker: SimulatedBroker;
  /** Connections that are open, so that the network can break them. */
  readonly links: Set<SimulatedLink>;
}

/** Connects a process to the simulated broker; nothing of it happens any more once the process is dead. */
export function simulatedConnect(
  network: Network,
  isDead: () => boolean,
  mutated: (link: Link) => Link = (link) => link,
): Connect {
  return (options, _clock, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const { time, broker, chance } = network;
      const abort = () => {
        cancel();
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      const { silent, refusesConnections } = broker.manners;
      const takesMs = silent ? options.connectTimeoutMs : chance.between(1, 5) * 10;
      const cancel = time.after(takesMs, () => {
        signal.removeEventListener("abort", abort);
        if (isDead()) return;
        const kind = silent || broker.manners.silent ? "unreachable" : refusesConnections;
        if (kind) resolve({ refused: { kind, error: new GatewayError("BROKER_UNREACHABLE", `${URL}: ${kind}`) } });
        else resolve({ link: mutated(new SimulatedLink(network, options)) });
      });
    });
}

interface Pending {
  reject(error: GatewayError): void;
  giveUp(): void;
}

/** A connection over which everything arrives in order, as late as the broker's manners have it. */
export class SimulatedLink implements Link {
  readonly url = URL;
  readonly protocol = "5";
  readonly receiveMaximum = RECEIVE_MAXIMUM;
  readonly maximumPacketSize = Number.POSITIVE_INFINITY;
  readonly maximumQos = 2;
  readonly retainAvailable = true;
  readonly closed: Promise<LinkEnd>;
  readonly #network: Network;
  readonly #options: ConnectOptions;
  readonly #gate = new Gate(RECEIVE_MAXIMUM);
  readonly #listeners = new Set<(message: Incoming) => void>();
  readonly #pending = new Set<Pending>();
  /** In the order of sending. */
  readonly #unanswered = new Set<Publication>();
  readonly #peer: Subscriber;
  readonly #forth: Lane;
  readonly #back: Lane;
  #ended = false;
  #left = false;
  #close: (end: LinkEnd) => void = () => {};

  constructor(network: Network, options: ConnectOptions) {
    this.#network = network;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#peer = {
      number: network.broker.nextConnection(),
      filters: new Set(),
      receive: (message) => this.#back.send(this.#delayMs(), () => this.#heard(message)),
      replaced: () => this.#leave(true),
    };
    const isSilent = () => network.broker.manners.silent;
    this.#forth = new Lane(network.time, isSilent);
    this.#back = new Lane(network.time, isSilent);
    network.links.add(this);
    network.broker.add(this.#peer);
  }

  publish(message: Publication, urgent: boolean, alone = false): Promise<number> {
    const { broker } = this.#network;
    return this.#ask<number>((answer) => {
      const send = () => {
        this.#unanswered.add(message);
        this.#send(() => {
          const code = broker.publish(this.#peer.number, message);
          if (broker.manners.acknowledges) this.#acknowledge(() => answer(code));
        });
      };
      this.#gate.enter(urgent, send, alone);
    }).finally(() => {
      this.#unanswered.delete(message);
      this.#gate.leave();
    });
  }

  send(message: Publication, alone: boolean, answered: (code: number) => void): void {
    this.publish(message, false, alone).then(answered, () => {});
  }

  subscribe(filters: readonly string[]): Promise<void> {
    return this.#ask((answer) =>
      this.#send(() => {
        this.#network.broker.subscribe(this.#peer, filters);
        this.#acknowledge(() => answer());
      }),
    );
  }

  unsubscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) this.#peer.filters.delete(filter);
    return Promise.resolve();
  }

  onMessage(listener: (message: Incoming) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async end(): Promise<void> {
    this.#finish({ message: "closed by us", byBroker: false }, { will: false, arrives: true });
  }

  abort(message: string): void {
    this.#finish({ message, byBroker: false }, { will: true, arrives: true });
  }

  /** The network, or the broker, breaks it; what is under way still arrives, or does not. */
  break(arrives: boolean, code?: number): void {
    const end = { message: "the connection was lost", byBroker: true, ...(code !== undefined && { code }) };
    this.#finish(end, { will: true, arrives });
  }

  /** Nothing came for too long: what keep-alive is for. */
  timeOut(): void {
    this.#finish({ message: "no answer within the keep-alive time", byBroker: false }, { will: true, arrives: false });
  }

  #finish(end: LinkEnd, { will, arrives }: { will: boolean; arrives: boolean }): void {
    if (this.#ended) return;
    this.#ended = true;
    const { links, time } = this.#network;
    links.delete(this);
    this.#gate.clear();
    this.#back.close();
    if (arrives) time.after(this.#forth.emptyInMs, () => this.#leave(will));
    else this.#leave(will);
    for (const pending of this.#pending) {
      pending.giveUp();
      pending.reject(this.#lost());
    }
    this.#pending.clear();
    this.#close({ ...end, unanswered: [...this.#unanswered] });
  }

  /** The broker has noticed that it is over. */
  #leave(will: boolean): void {
    if (this.#left) return;
    this.#left = true;
    this.#forth.close();
    const { broker } = this.#network;
    broker.remove(this.#peer);
    if (will && this.#options.will) {
      broker.publish(this.#peer.number, { ...this.#options.will, qos: 1, retain: true });
    }
  }

  /** Asks something that the broker answers, or that is given up with the link. */
  #ask<T>(start: (answer: (value: T) => void) => void): Promise<T> {
    if (this.#ended) return Promise.reject(this.#lost());
    return new Promise((resolve, reject) => {
      const { ackTimeoutMs } = this.#options;
      const giveUp = this.#network.time.after(ackTimeoutMs, () => {
        if (!this.#ended) this.abort(`no acknowledgement within ${ackTimeoutMs / 1000} s`);
      });
      const pending: Pending = { reject, giveUp };
      this.#pending.add(pending);
      start((value) => {
        giveUp();
        this.#pending.delete(pending);
        resolve(value);
      });
    });
  }

  #send(arrived: () => void): void {
    this.#forth.send(this.#delayMs(), arrived);
  }

  /** A broker's acknowledgements may overtake each other (only a client is bound to their order, [MQTT-4.6.0-2]). */
  #acknowledge(arrived: () => void): void {
    const { broker, time } = this.#network;
    time.after(this.#delayMs(), () => {
      if (this.#ended) return;
      if (broker.manners.silent) this.#back.send(0, arrived);
      else arrived();
    });
  }

  #heard(message: Incoming): void {
    for (const listener of [...this.#listeners]) listener(message);
  }

  #delayMs(): number {
    const { chance, broker } = this.#network;
    return chance.between(1, Math.max(1, broker.manners.delayMs / 10)) * 10;
  }

  #lost(): GatewayError {
    return new GatewayError("BROKER_UNREACHABLE", "the connection has ended");
  }
}
