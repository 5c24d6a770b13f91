import type { Clock } from "../../core/clock.ts";
import type { Random } from "../../core/random.ts";
import { heardWithin } from "../../lifecycle/dead-gateway.ts";
import type { Link } from "../../uplink/link.ts";
import { clearRetained, readRetained } from "../../uplink/live/retained.ts";
import type { UplinkOptions } from "../../uplink/options.ts";
import { callBroker } from "../../uplink/requests/call.ts";
import { matches } from "../../uplink/topic-filter.ts";

export interface CallParts {
  readonly options: UplinkOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** A connection of a command's own, made when it is first needed, and without a last will that would bring a status back. */
export class Call implements AsyncDisposable {
  readonly #parts: CallParts;
  #link: Promise<Link> | undefined;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** Rejects as `callBroker`; tried anew at the next call. */
  link(): Promise<Link> {
    this.#link ??= this.#open();
    return this.#link;
  }

  async clearRetained(topics: readonly string[]): Promise<void> {
    await clearRetained(await this.link(), topics);
  }

  async retainedAmong(topics: readonly string[]): Promise<string[]> {
    return [...(await this.read(topics)).keys()];
  }

  /** The retained messages on topics, or on filters with wildcards. */
  async read(filters: readonly string[]): Promise<Map<string, string>> {
    const { options, clock, random } = this.#parts;
    const { topics } = options;
    return await readRetained({ link: await this.link(), topics, clock, random, kept: new Set() }, filters);
  }

  /** Is anything published live on the filter before the time is over? */
  async isHeard(filter: string, withinMs: number): Promise<boolean> {
    const link = await this.link();
    await link.subscribe([filter]);
    const listen = (heard: () => void) =>
      link.onMessage(({ topic, retained }) => {
        if (!retained && matches(filter, topic)) heard();
      });
    const isHeard = await heardWithin(listen, withinMs, this.#parts.clock);
    await link.unsubscribe([filter]);
    return isHeard;
  }

  /** Takes the place of this client, whose session is then a clean one, and leaves. */
  async endSession(clientId: string): Promise<void> {
    const { options, clock, signal } = this.#parts;
    const link = await callBroker({ ...options, clientId }, clock, signal);
    await link.end();
  }

  async #open(): Promise<Link> {
    const { options, clock, signal } = this.#parts;
    try {
      const link = await callBroker(options, clock, signal);
      void link.closed.then(() => {
        this.#link = undefined;
      });
      return link;
    } catch (error) {
      this.#link = undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const link = await this.#link?.catch(() => undefined);
    await link?.end();
  }
}

/** How the gateway leaves its broker for good: the uplink ends politely, and what is cleared after that goes by a call. */
export class Departure implements AsyncDisposable {
  readonly #call: Call;
  readonly #leaving = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #hasEnded = true;

  constructor(parts: CallParts) {
    this.#call = new Call(parts);
  }

  /** Runs the uplink until the signal, or until it is to leave. */
  async whileStaying(run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    this.#hasEnded = false;
    this.#ended = run(AbortSignal.any([signal, this.#leaving.signal])).finally(() => {
      this.#hasEnded = true;
    });
    await this.#ended;
  }

  hasLeft(): boolean {
    return this.#hasEnded;
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#ended;
  }

  clearRetained(topics: readonly string[]): Promise<void> {
    return this.#call.clearRetained(topics);
  }

  retainedAmong(topics: readonly string[]): Promise<string[]> {
    return this.#call.retainedAmong(topics);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#call[Symbol.asyncDispose]();
  }
}
