import { isGatewayError } from "../../core/errors.ts";
import type { StoredRecord } from "../../core/reading.ts";
import type { Link, LinkEnd } from "../link.ts";
import { type Context, timeOf } from "../state.ts";
import { DESTINATION } from "./destination.ts";
import { waitsForClock } from "./hold.ts";
import { Lane } from "./lane.ts";
import { Pace } from "./pace.ts";
import { type Parcel, Progress, parcelOf } from "./parcel.ts";
import { Spread } from "./spread.ts";

const BATCH = 500;
const HOLD_CHECK_MS = 1000;
const NOTHING_READ_MS = 5000;
/** How far one connection may be ahead of another, in readings: they are in memory until the slowest has caught up. */
const AHEAD_MAX = 5000;

/**
 * Empties the outbox, in order over one connection, in the order of each device over several. The cursor moves over the
 * contiguous acknowledged prefix, so what a lost connection leaves in doubt is sent again over the next one.
 */
export class Drain {
  readonly #context: Context;
  readonly #spread = new Spread();
  readonly #progress = new Progress();
  readonly #pace: Pace | undefined;
  readonly #upSinceMonoMs: number;
  /** Readings up to here were there before this connection: they are the backlog, marked `replay`. */
  readonly #backlogEnd: number;
  #position: number;
  #listening = false;
  #isClosing = false;
  #isNoting = false;
  #isMoving = false;
  #wake: () => void = () => {};

  constructor(link: Link, context: Context) {
    const { outbox } = context.deps.store;
    const { drainRate } = context.options;
    this.#context = context;
    this.#pace = drainRate === undefined ? undefined : new Pace(drainRate, context.deps.clock);
    this.#upSinceMonoMs = context.deps.clock.monoMs();
    this.#position = outbox.cursor(DESTINATION);
    this.#backlogEnd = outbox.head;
    const lane = this.#lane(link);
    this.#spread.add(lane);
    context.memory.throttle.began(lane.window);
  }

  /** Until the signal, with whose reason it rejects. */
  async run(signal: AbortSignal): Promise<never> {
    const { outbox } = this.#context.deps.store;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    for (;;) {
      while (outbox.head <= this.#position) await this.#news(signal);
      for (const record of await this.#batch(signal)) {
        if (this.#untimely(record)) await this.#clockFor(record, signal);
        const isBacklog = record.position <= this.#backlogEnd;
        if (this.#isPaced(isBacklog)) await this.#pacing(isBacklog, signal);
        while (this.#isFull()) await this.#change(signal);
        this.#position = record.position;
        this.#add(parcelOf(record, isBacklog));
      }
    }
  }

  /** One more connection that shares the devices: once those that will move have nothing on the way. */
  joined(link: Link): void {
    this.#spread.add(this.#lane(link));
    this.#isMoving = true;
  }

  /** The session is over: what has not arrived is left to the next one. */
  close(): void {
    this.#isClosing = true;
  }

  /** A connection is gone: what it had goes over the others. */
  left(link: Link, end: LinkEnd): void {
    const lane = this.#spread.of(link);
    if (!lane) return;
    const left = lane.finish(end);
    this.#spread.remove(lane);
    if (this.#spread.size === 0) this.#context.memory.connectedMs = this.#connectedMs();
    else if (!this.#isClosing) for (const parcel of left) this.#spread.send(parcel);
    this.#wake();
  }

  #lane(link: Link): Lane {
    return new Lane(link, this.#context, {
      done: (parcel) => this.#done(parcel),
      setAside: ({ record }, reason) => this.#setAside(record, reason),
    });
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

  #connectedMs(): number {
    return this.#context.memory.connectedMs + (this.#context.deps.clock.monoMs() - this.#upSinceMonoMs);
  }

  #isPaced(isBacklog: boolean): boolean {
    return (isBacklog && this.#pace !== undefined) || this.#context.memory.throttle.perSecond !== undefined;
  }

  /** The backlog keeps its rate, and a broker that asked for less gets less of all; what is new goes as it comes. */
  async #pacing(isBacklog: boolean, signal: AbortSignal): Promise<void> {
    if (isBacklog && this.#pace) await this.#pace.take(signal);
    const { throttle } = this.#context.memory;
    if (throttle.perSecond !== undefined) await throttle.take(signal);
  }

  #isFull(): boolean {
    if (this.#progress.size === 0) this.#isMoving = false;
    return this.#isMoving || this.#progress.size >= this.#most();
  }

  /** As many as the windows hold and once more, so that an acknowledgement finds the next one ready. */
  #most(): number {
    return this.#spread.size > 1 ? AHEAD_MAX : 2 * this.#spread.window;
  }

  /** Until there is a reading, or an acknowledgement. */
  async #news(signal: AbortSignal): Promise<void> {
    if (!this.#listening) {
      this.#listening = true;
      const heard = () => {
        this.#listening = false;
        this.#wake();
      };
      this.#context.deps.store.outbox.arrival(this.#position, signal).then(heard, heard);
    }
    await this.#change(signal);
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    signal.throwIfAborted();
  }

  #untimely({ record }: StoredRecord): boolean {
    const { deps, options } = this.#context;
    const time = timeOf(deps, record.at);
    // Asking the clock may mean asking the machine, so it is left for those who need the answer.
    if (time.clock === "synced") return false;
    return waitsForClock(time, deps.clock.syncState(), this.#connectedMs(), options.holdEstimatedMs);
  }

  async #clockFor(record: StoredRecord, signal: AbortSignal): Promise<void> {
    while (this.#untimely(record)) await this.#context.deps.clock.sleep(HOLD_CHECK_MS, signal);
  }

  #add(parcel: Parcel): void {
    this.#progress.add(parcel);
    if (this.#context.options.publish.readings) this.#spread.send(parcel);
    else this.#done(parcel);
  }

  #done(parcel: Parcel): void {
    parcel.isDone = true;
    this.#spread.arrived(parcel);
    this.#context.memory.throttle.arrived();
    if (this.#isNoting) return;
    // Acknowledgements come in bursts, and each time that the store is told it writes.
    this.#isNoting = true;
    queueMicrotask(() => {
      this.#isNoting = false;
      this.#note();
    });
  }

  #note(): void {
    const arrived = this.#progress.take();
    if (!arrived) return;
    this.#context.deps.store.outbox.acknowledge(DESTINATION, arrived.position, arrived.unheard);
    // Not for each: waking costs more than a reading.
    if (this.#progress.size === 0 || this.#progress.size <= 0.875 * this.#most()) this.#wake();
  }

  /** What the broker will not take reaches no consumer either. */
  #setAside(record: StoredRecord, reason: string): void {
    const { store, log } = this.#context.deps;
    for (const destination of store.outbox.destinations) store.outbox.setAside(destination, record, reason);
    const { epoch, seq } = record;
    log.warn("a reading was set aside", { epoch, seq, device: record.record.device, reason });
  }
}
