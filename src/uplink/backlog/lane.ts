import type { StoredRecord } from "../../core/reading.ts";
import { backoffSleep } from "../backoff.ts";
import type { Link, LinkEnd } from "../link.ts";
import { REASON } from "../link.ts";
import type { Context } from "../state.ts";
import type { Parcel } from "./parcel.ts";
import { readingMessage } from "./reading-message.ts";
import { PROBATION_MS } from "./suspects.ts";
import { dropReason, refusedForGood, verdictOf } from "./verdict.ts";

/** A topic that the broker forbids is tried so often. */
const TRIES = 3;

export interface LaneEvents {
  /** It arrived, or was set aside. */
  done(parcel: Parcel): void;
  setAside(parcel: Parcel, reason: string): void;
}

/**
 * Readings over one connection, in order, with at most a window of them unacknowledged. What the broker cannot take at
 * the moment is sent again, in order, before anything new is.
 */
export class Lane {
  readonly link: Link;
  readonly #context: Context;
  readonly #events: LaneEvents;
  readonly #upSinceMonoMs: number;
  /** Not sent yet. */
  #queue: Parcel[] = [];
  #next = 0;
  /** Refused for the moment. */
  #again: Parcel[] = [];
  readonly #sent = new Set<Parcel>();
  #refusals = 0;
  #isPausing = false;
  readonly #over = new AbortController();

  constructor(link: Link, context: Context, events: LaneEvents) {
    this.link = link;
    this.#context = context;
    this.#events = events;
    this.#upSinceMonoMs = context.deps.clock.monoMs();
  }

  /** How many it has, sent or not. */
  get load(): number {
    return this.#queue.length - this.#next + this.#again.length + this.#sent.size;
  }

  get window(): number {
    const { options, memory } = this.#context;
    return memory.throttle.window(Math.max(1, Math.min(options.window, this.link.receiveMaximum)));
  }

  add(parcel: Parcel): void {
    this.#queue.push(parcel);
    this.#pump();
  }

  /** The connection is gone, and what may still come in does not count. Returns what has not arrived, in order. */
  finish(end: LinkEnd): Parcel[] {
    const { memory, log } = { ...this.#context, ...this.#context.deps };
    this.#over.abort();
    memory.throttle.complained(end.code);
    const left = [...this.#sent, ...this.#again, ...this.#queue.slice(this.#next)];
    left.sort((a, b) => a.record.position - b.record.position);
    const guilty = memory.suspects.ended(end);
    if (!guilty) return left;
    const reason = end.code !== undefined && refusedForGood(end.code) ? dropReason(end.code) : "drops_the_link";
    const parcel = left.find(({ message }) => message === guilty);
    // A reading that was sent once more was taken before.
    if (!parcel && guilty.id !== undefined) return left;
    if (!parcel) {
      memory.banned.set(guilty.topic, guilty.payload.length);
      log.warn("the broker drops the connection over a topic", { topic: guilty.topic, bytes: guilty.payload.length });
      return left;
    }
    this.#events.setAside(parcel, reason);
    this.#events.done(parcel);
    return left.filter((other) => other !== parcel);
  }

  #pump(): void {
    if (this.#again.length > 0 || this.#isPausing) return;
    while (this.#sent.size < this.window) {
      const parcel = this.#queue[this.#next];
      if (!parcel) break;
      if (this.#isOnProbation(parcel)) {
        this.#pause(PROBATION_MS);
        return;
      }
      this.#next++;
      this.#send(parcel);
    }
    if (this.#next < this.#queue.length && this.#next < 1024) return;
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
  }

  /** Its last try waits until the link has held for a while. */
  #isOnProbation({ record }: Parcel): boolean {
    const { suspects } = this.#context.memory;
    if (!suspects.isOnProbation({ topic: this.#topicOf(record), id: record.position })) return false;
    return this.#context.deps.clock.monoMs() - this.#upSinceMonoMs < PROBATION_MS;
  }

  #topicOf({ record }: StoredRecord): string {
    return this.#context.options.topics.device(record.device).readings;
  }

  /** Sends nothing for a while; then what was refused, in order, before what is new. */
  #pause(ms: number): void {
    this.#isPausing = true;
    this.#resume(this.#context.deps.clock.sleep(ms, this.#over.signal));
  }

  #resume(after: Promise<void>): void {
    after.then(
      () => {
        this.#isPausing = false;
        const again = this.#again.sort((a, b) => a.record.position - b.record.position);
        this.#again = [];
        for (const parcel of again) this.#send(parcel);
        this.#pump();
      },
      () => {},
    );
  }

  #send(parcel: Parcel): void {
    const { memory } = this.#context;
    const { record, isBacklog } = parcel;
    const message = readingMessage(record, isBacklog, this.#context);
    memory.sentTo = Math.max(memory.sentTo, record.position);
    parcel.message = message;
    this.#sent.add(parcel);
    this.link.send(message, memory.suspects.has(message), (code) => this.#settle(parcel, code));
  }

  #settle(parcel: Parcel, code: number): void {
    if (this.#over.signal.aborted) return;
    const { memory, deps, options } = this.#context;
    this.#sent.delete(parcel);
    if (parcel.message) memory.suspects.acquit(parcel.message);
    const topic = this.#topicOf(parcel.record);
    const verdict = verdictOf(code);
    if (verdict === "delivered") {
      if (memory.forbidden.size > 0) memory.forbidden.delete(topic);
      this.#refusals = 0;
      parcel.isUnheard = code === REASON.noMatchingSubscribers;
      this.#events.done(parcel);
    } else if (verdict === "refused" || (verdict === "forbidden" && this.#isForbidden(parcel, topic, code))) {
      this.#events.setAside(parcel, dropReason(code));
      this.#events.done(parcel);
    } else {
      this.#again.push(parcel);
    }
    if (this.#again.length === 0) this.#pump();
    else if (this.#sent.size === 0 && !this.#isPausing) {
      this.#isPausing = true;
      this.#resume(backoffSleep(this.#refusals++, deps, options.reconnect, this.#over.signal));
    }
  }

  /** A topic that was forbidden three times stays so for those behind: each gets one try and is set aside. */
  #isForbidden(parcel: Parcel, topic: string, code: number): boolean {
    const { memory, deps } = this.#context;
    parcel.forbidden++;
    if (parcel.forbidden < TRIES && !memory.forbidden.has(topic)) return false;
    if (!memory.forbidden.has(topic)) deps.log.warn("the broker forbids a topic", { topic, code });
    memory.forbidden.set(topic, code);
    return true;
  }
}
