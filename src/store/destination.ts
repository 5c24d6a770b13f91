import type { Counters } from "../core/gateway.ts";
import { LiveRanges, type Range, sizeOf } from "./live-ranges.ts";

/** The broker; it is always there. */
export const DESTINATION = "mqtt";

/** Where records go: the broker, or a consumer with receipts of its own. */
export interface DestinationSnapshot {
  readonly name: string;
  /** Everything up to here is acknowledged, dropped or set aside. */
  readonly cursor: number;
  readonly counters: Omit<Counters, "pending">;
  readonly live: readonly Range[];
}

/** What one destination still has to get, and what became of the rest. */
export class Destination {
  readonly name: string;
  readonly live: LiveRanges;
  cursor: number;
  #sampled: number;
  #delivered: number;
  #unheard: number;
  readonly #dropped: Map<string, number>;

  constructor({ name, cursor, counters, live }: DestinationSnapshot) {
    this.name = name;
    this.live = LiveRanges.of(live);
    this.cursor = cursor;
    this.#sampled = counters.sampled;
    this.#delivered = counters.delivered;
    this.#unheard = counters.unheard;
    this.#dropped = new Map(Object.entries(counters.dropped));
  }

  /** One that begins with what `other` still has to get. */
  static like(other: Destination, name: string): Destination {
    const counters = { sampled: other.live.total, delivered: 0, unheard: 0, dropped: {} };
    return new Destination({ name, cursor: other.cursor, counters, live: other.live.toArray() });
  }

  take(position: number): void {
    this.live.push(position);
    this.#sampled += 1;
  }

  /** Never accepted. */
  refuse(reason: string): void {
    this.#sampled += 1;
    this.#count(reason, 1);
  }

  acknowledge(position: number, unheard: number): void {
    const delivered = this.live.remove(0, position);
    this.#delivered += delivered;
    this.#unheard += Math.min(unheard, delivered);
    this.cursor = Math.max(this.cursor, position);
  }

  /** Takes what is left of `from` to `to` out of the way; returns what that was. */
  drop({ from, to }: Range, reason: string): Range[] {
    const dropped = this.live.take(from, to);
    this.#count(reason, sizeOf(dropped));
    if (from <= this.cursor + 1) this.cursor = Math.max(this.cursor, to);
    return dropped;
  }

  /** As `drop`, of one that others may still get: the cursor waits for those before it. */
  setAside(position: number, reason: string): Range[] {
    const dropped = this.live.take(position, position);
    this.#count(reason, sizeOf(dropped));
    return dropped;
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

  snapshot(): DestinationSnapshot {
    const { pending: _, ...counters } = this.counters();
    return { name: this.name, cursor: this.cursor, counters, live: [...this.live.toArray()] };
  }

  #count(reason: string, records: number): void {
    if (records > 0) this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records);
  }
}
