import type { Counters } from "../core/gateway.ts";
import type { OutboxRecord, StoredRecord } from "../core/reading.ts";
import { LiveRanges, type Range } from "./live-ranges.ts";

/** The one destination there is for now; its cursor decides what is delivered. */
export const DESTINATION = "mqtt";

/**
 * Everything that happens to the outbox. Each event is staged and applied, and applied again when a start reads the
 * staging file: the state is what the events make of it, so it is the same before and after `kill -9`.
 */
export type OutboxEvent =
  | { readonly kind: "take"; readonly position: number; readonly record: OutboxRecord }
  | { readonly kind: "acknowledge"; readonly position: number; readonly unheard: number }
  /** Accepted and gone without delivery. */
  | { readonly kind: "drop"; readonly from: number; readonly to: number; readonly reason: string }
  /** Never accepted. */
  | { readonly kind: "refuse"; readonly reason: string }
  | { readonly kind: "setAside"; readonly stored: StoredRecord; readonly reason: string };

/** The outbox without its records, as it is written to the disk and to the head of the staging file. */
export interface OutboxSnapshot {
  readonly epoch: number;
  /** `seq = position - base` within the epoch. */
  readonly base: number;
  /** Highest position given out. */
  readonly head: number;
  readonly cursor: number;
  readonly counters: Omit<Counters, "pending">;
  readonly live: readonly Range[];
}

export class OutboxState {
  readonly epoch: number;
  readonly base: number;
  readonly live: LiveRanges;
  head: number;
  cursor: number;
  #sampled: number;
  #delivered: number;
  #unheard: number;
  readonly #dropped: Map<string, number>;

  constructor(from: OutboxSnapshot) {
    this.epoch = from.epoch;
    this.base = from.base;
    this.head = from.head;
    this.cursor = from.cursor;
    this.live = LiveRanges.of(from.live);
    this.#sampled = from.counters.sampled;
    this.#delivered = from.counters.delivered;
    this.#unheard = from.counters.unheard;
    this.#dropped = new Map(Object.entries(from.counters.dropped));
  }

  apply(event: OutboxEvent): void {
    switch (event.kind) {
      case "take":
        this.head = event.position;
        this.live.push(event.position);
        this.#sampled += 1;
        return;
      case "acknowledge":
        this.#acknowledge(event.position, event.unheard);
        return;
      case "drop":
        this.#count(event.reason, this.live.remove(event.from, event.to));
        if (event.from <= this.cursor + 1) this.cursor = Math.max(this.cursor, event.to);
        return;
      case "refuse":
        this.#sampled += 1;
        this.#count(event.reason, 1);
        return;
      case "setAside":
        this.#count(event.reason, this.live.remove(event.stored.position, event.stored.position));
        return;
    }
  }

  counters(): Counters {
    return {
      sampled: this.#sampled,
      delivered: this.#delivered,
      unheard: this.#unheard,
      pending: this.live.total,
      dropped: Object.fromEntries(this.#dropped),
    };
  }

  snapshot(): OutboxSnapshot {
    const { pending: _, ...counters } = this.counters();
    return {
      epoch: this.epoch,
      base: this.base,
      head: this.head,
      cursor: this.cursor,
      counters,
      live: [...this.live.toArray()],
    };
  }

  #acknowledge(position: number, unheard: number): void {
    const delivered = this.live.remove(0, position);
    this.#delivered += delivered;
    this.#unheard += Math.min(unheard, delivered);
    this.cursor = Math.max(this.cursor, position);
  }

  #count(reason: string, records: number): void {
    if (records > 0) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records);
  }
}
