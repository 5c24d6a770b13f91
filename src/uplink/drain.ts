import { isGatewayError } from "../core/errors.ts";
import type { StoredRecord } from "../core/reading.ts";
import { backoffSleep } from "./backoff.ts";
import { waitsForClock } from "./hold.ts";
import type { Link, LinkEnd } from "./link.ts";
import { REASON } from "./link.ts";
import { Pace } from "./pace.ts";
import { readingPayload } from "./payloads.ts";
import { type Context, timeOf } from "./state.ts";
import { canBeTheMessage, dropReason, refusedForGood, verdictOf } from "./verdict.ts";

/** The outbox's name for us. */
export const DESTINATION = "mqtt";

const BATCH = 500;
const HOLD_CHECK_MS = 1000;
const NOTHING_READ_MS = 5000;
/** A message that the broker forbids, or drops the link for, is tried so often. */
const TRIES = 3;
/** A broker that dislikes a message says so at once; a link lost later was lost for another reason. */
const SUSPICION_MS = 5000;

/** A reading under way, or waiting for those before it. */
interface Entry {
  readonly record: StoredRecord;
  sentMonoMs: number;
  state: "sent" | "refused" | "done";
  unheard: boolean;
  /** How often the broker has forbidden it. */
  forbidden: number;
}

/**
 * Empties the outbox over one connection, in order, with at most a window of readings unacknowledged. The cursor moves
 * over the contiguous acknowledged prefix, so what a lost connection leaves in doubt is sent again over the next one.
 */
export class Drain {
  readonly #link: Link;
  readonly #context: Context;
  readonly #window: number;
  readonly #pace: Pace | undefined;
  readonly #upSinceMonoMs: number;
  /** Readings up to here were there before this connection: they are the backlog, marked `replay`. */
  readonly #backlogEnd: number;
  /** Sent and not yet behind the cursor, in order. */
  readonly #queue: Entry[] = [];
  /** Refused for the moment; sent again, in order, when nothing else is under way. */
  #again: Entry[] = [];
  #inFlight = 0;
  #refusals = 0;
  #position: number;
  #over = false;
  #listening = false;
  #wake: () => void = () => {};

  constructor(link: Link, context: Context) {
    const { outbox } = context.deps.store;
    const { drainRate, window } = context.options;
    this.#link = link;
    this.#context = context;
    this.#window = Math.max(1, Math.min(window, link.receiveMaximum));
    this.#pace = drainRate === undefined ? undefined : new Pace(drainRate, context.deps.clock);
    this.#upSinceMonoMs = context.deps.clock.monoMs();
    this.#position = outbox.cursor(DESTINATION);
    this.#backlogEnd = outbox.head;
  }

  /** Until the signal, with whose reason it rejects. */
  async run(signal: AbortSignal): Promise<never> {
    const { outbox } = this.#context.deps.store;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    for (;;) {
      while (outbox.head <= this.#position) await this.#news(signal);
      for (const record of await this.#batch(signal)) {
        if (this.#untimely(record)) await this.#clockFor(record, signal);
        if (!this.#free(record)) await this.#place(record, signal);
        this.#position = record.position;
        this.#add(record);
      }
    }
  }

  /** Where the store has nothing to give (its disk fails, or its limits took the rest), the link is not to blame. */
  async #batch(signal: AbortSignal): Promise<readonly StoredRecord[]> {
    const { store, clock, log } = this.#context.deps;
    try {
      const records = await store.outbox.after(this.#position, BATCH);
      if (records.length > 0) return records;
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      log.warn("the outbox cannot be read", { error: error.message });
    }
    await clock.sleep(NOTHING_READ_MS, signal);
    return [];
  }

  /** The connection is gone: nothing that may still come in counts, and whoever made the broker drop it is noted. */
  finish(end: LinkEnd): void {
    this.#over = true;
    this.#context.memory.connectedMs = this.#connectedMs();
    this.#wake();
    const [head] = this.#queue;
    if (head?.state !== "sent" || !end.byBroker || !canBeTheMessage(end.code)) return;
    if (this.#context.deps.clock.monoMs() - head.sentMonoMs > SUSPICION_MS) return;
    this.#suspect(head.record, end.code);
  }

  #connectedMs(): number {
    return this.#context.memory.connectedMs + (this.#context.deps.clock.monoMs() - this.#upSinceMonoMs);
  }

  /** May it be sent right now? A turn of the event loop for each of a million readings would be most of the work. */
  #free({ position }: StoredRecord): boolean {
    const paced = this.#pace !== undefined && position <= this.#backlogEnd;
    return !paced && this.#again.length === 0 && this.#queue.length < this.#room();
  }

  /** Waits until one more may be sent. The backlog keeps its rate; what is new goes as it comes. */
  async #place(record: StoredRecord, signal: AbortSignal): Promise<void> {
    if (record.position <= this.#backlogEnd) await this.#pace?.take(signal);
    while (this.#again.length > 0 || this.#queue.length >= this.#room()) await this.#settling(signal);
  }

  /** A suspect goes alone, so that it is known who made the broker drop the link. */
  #room(): number {
    return this.#context.memory.suspect ? 1 : this.#window;
  }

  /** Until there is a reading, an acknowledgement, or something was sent again. */
  async #news(signal: AbortSignal): Promise<void> {
    if (!this.#listening) {
      this.#listening = true;
      const heard = () => {
        this.#listening = false;
        this.#wake();
      };
      this.#context.deps.store.outbox.arrival(this.#position, signal).then(heard, heard);
    }
    await this.#settling(signal);
  }

  #untimely({ record }: StoredRecord): boolean {
    const { deps, options } = this.#context;
    const time = timeOf(deps, record.at);
    // Asking the clock may mean asking the machine, so it is left for those who need the answer.
    if (time.clock === "synced") return false;
    const isOfThisBoot = record.at.boot === deps.clock.bootId();
    return waitsForClock(time, deps.clock.syncState(), isOfThisBoot, this.#connectedMs(), options.holdEstimatedMs);
  }

  async #clockFor(record: StoredRecord, signal: AbortSignal): Promise<void> {
    while (this.#untimely(record)) await this.#context.deps.clock.sleep(HOLD_CHECK_MS, signal);
  }

  /** Until something changed: an acknowledgement came, or what was refused has been sent again. */
  async #settling(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#inFlight === 0 && this.#again.length > 0) return await this.#sendAgain(signal);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    signal.throwIfAborted();
  }

  async #sendAgain(signal: AbortSignal): Promise<void> {
    const { options, deps } = this.#context;
    await backoffSleep(this.#refusals++, deps, options.reconnect, signal);
    const entries = this.#again.sort((a, b) => a.record.position - b.record.position);
    this.#again = [];
    for (const entry of entries) this.#send(entry);
  }

  #add(record: StoredRecord): void {
    const entry: Entry = { record, sentMonoMs: 0, state: "sent", unheard: false, forbidden: 0 };
    this.#queue.push(entry);
    if (this.#context.options.publish.readings) this.#send(entry);
    else this.#done(entry);
  }

  #send(entry: Entry): void {
    const { options, deps } = this.#context;
    const { record } = entry;
    const info = deps.board.get(record.record.device)?.info;
    const payload = readingPayload(record, {
      info,
      time: timeOf(deps, record.record.at),
      replay: record.position <= this.#backlogEnd,
    });
    entry.state = "sent";
    entry.sentMonoMs = deps.clock.monoMs();
    this.#inFlight++;
    const topic = this.#topicOf(record);
    const { readings: qos } = info?.qos ?? options.qos;
    this.#link.publish({ topic, payload, qos }, false).then(
      (code) => this.#settle(entry, code),
      () => this.#wake(),
    );
  }

  #topicOf(record: StoredRecord): string {
    return this.#context.options.topics.device(record.record.device).readings;
  }

  #settle(entry: Entry, code: number): void {
    if (this.#over) return;
    this.#inFlight--;
    const { forbidden } = this.#context.memory;
    const topic = this.#topicOf(entry.record);
    const verdict = verdictOf(code);
    if (verdict === "delivered") {
      forbidden.delete(topic);
      this.#refusals = 0;
      entry.unheard = code === REASON.noMatchingSubscribers;
      this.#done(entry);
    } else if (verdict === "refused" || (verdict === "forbidden" && this.#forbidden(entry, topic, code))) {
      this.#setAside(entry.record, dropReason(code));
      this.#done(entry);
    } else {
      entry.state = "refused";
      this.#again.push(entry);
    }
    this.#wake();
  }

  /** A topic that was forbidden three times stays so for those behind: each gets one try and is set aside. */
  #forbidden(entry: Entry, topic: string, code: number): boolean {
    const { forbidden } = this.#context.memory;
    entry.forbidden++;
    if (entry.forbidden < TRIES && !forbidden.has(topic)) return false;
    if (!forbidden.has(topic)) this.#context.deps.log.warn("the broker forbids a topic", { topic, code });
    forbidden.set(topic, code);
    return true;
  }

  #setAside(record: StoredRecord, reason: string): void {
    this.#context.deps.store.outbox.setAside(DESTINATION, record, reason);
    const { epoch, seq } = record;
    this.#context.deps.log.debug("a reading was set aside", { epoch, seq, device: record.record.device, reason });
  }

  #done(entry: Entry): void {
    entry.state = "done";
    const { memory } = this.#context;
    if (memory.suspect?.position === entry.record.position) memory.suspect = undefined;
    let last: StoredRecord | undefined;
    let unheard = 0;
    for (let [head] = this.#queue; head?.state === "done"; [head] = this.#queue) {
      this.#queue.shift();
      last = head.record;
      if (head.unheard) unheard++;
    }
    if (last) this.#context.deps.store.outbox.acknowledge(DESTINATION, last.position, unheard);
  }

  #suspect(record: StoredRecord, code: number | undefined): void {
    const { memory, deps } = this.#context;
    const tries = memory.suspect?.position === record.position ? memory.suspect.tries + 1 : 1;
    memory.suspect = { position: record.position, tries };
    if (tries < TRIES) return;
    memory.suspect = undefined;
    this.#setAside(record, code !== undefined && refusedForGood(code) ? dropReason(code) : "drops_the_link");
    deps.store.outbox.acknowledge(DESTINATION, record.position);
  }
}
