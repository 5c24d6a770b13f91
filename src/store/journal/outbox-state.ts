import type { Counters } from "../../core/gateway.ts";
import type { OutboxRecord, Stamp, StoredRecord } from "../../core/reading.ts";
import { DESTINATION, Destination, type DestinationSnapshot } from "../destination.ts";
import { type Gap, GapList, seqRanges } from "../gaps.ts";
import { LiveRanges, type Range } from "../live-ranges.ts";
import type { EpochRow } from "../segments.ts";

/** When the first and the last of some records were sampled, as far as that is known. */
export interface Span {
  readonly since?: Stamp;
  readonly until?: Stamp;
}

/**
 * Everything that happens to the outbox. Each event is staged and applied, and applied again when a start reads the
 * staging file: the state is what the events make of it, so it is the same before and after `kill -9`.
 */
export type OutboxEvent =
  | { readonly kind: "take"; readonly position: number; readonly record: OutboxRecord }
  | {
      readonly kind: "acknowledge";
      readonly destination: string;
      readonly position: number;
      readonly unheard: number;
    }
  /** Accepted and gone without delivery. */
  | ({ readonly kind: "drop"; readonly from: number; readonly to: number; readonly reason: string } & Span)
  /** Never accepted. */
  | { readonly kind: "refuse"; readonly reason: string; readonly at: Stamp }
  | {
      readonly kind: "setAside";
      readonly destination: string;
      readonly stored: StoredRecord;
      readonly reason: string;
    }
  /** A destination begins (with what the broker still has to get), or ends. */
  | { readonly kind: "join" | "leave"; readonly destination: string }
  /** The current epoch gets another number, before anything was delivered under it. */
  | { readonly kind: "renumber"; readonly epoch: number }
  /** A gap was told. */
  | { readonly kind: "told"; readonly gap: Gap };

/** The outbox without its records, as it is written to the disk and to the head of the staging file. */
export interface OutboxSnapshot {
  /** Oldest first; the last one is the current one, in which `seq = position - base`. */
  readonly epochs: readonly EpochRow[];
  /** Highest position given out. */
  readonly head: number;
  readonly destinations: readonly DestinationSnapshot[];
  readonly gaps: readonly Gap[];
}

export class OutboxState {
  #epochs: readonly EpochRow[];
  #current: EpochRow;
  readonly #broker: Destination;
  readonly #destinations: Map<string, Destination>;
  readonly #gaps: GapList;
  head: number;

  constructor(from: OutboxSnapshot) {
    const current = from.epochs.at(-1);
    if (!current) throw new Error("an outbox has an epoch");
    this.#epochs = from.epochs;
    this.#current = current;
    this.head = from.head;
    this.#destinations = new Map(from.destinations.map((one) => [one.name, new Destination(one)]));
    this.#gaps = new GapList(from.gaps);
    const broker = this.#destinations.get(DESTINATION);
    if (!broker) throw new Error(`an outbox has the destination ${DESTINATION}`);
    this.#broker = broker;
  }

  /** Oldest first. */
  get epochs(): readonly EpochRow[] {
    return this.#epochs;
  }

  get epoch(): number {
    return this.#current.epoch;
  }

  get base(): number {
    return this.#current.base;
  }

  get destinations(): readonly Destination[] {
    return [...this.#destinations.values()];
  }

  /** Throws for one that there is not: that is a bug. */
  destination(name: string): Destination {
    const found = name === DESTINATION ? this.#broker : this.#destinations.get(name);
    if (!found) throw new Error(`the outbox has no destination ${name}`);
    return found;
  }

  /** Every destination has got everything up to here, or never will. */
  get settled(): number {
    let first = this.head + 1;
    for (const { live } of this.#destinations.values()) first = Math.min(first, live.first ?? first);
    return first - 1;
  }

  /** Does any destination wait for one of these? */
  isWanted(from: number, to = from): boolean {
    for (const { live } of this.#destinations.values()) {
      const next = live.next(from - 1);
      if (next !== undefined && next <= to) return true;
    }
    return false;
  }

  get gaps(): readonly Gap[] {
    return this.#gaps.toArray();
  }

  apply(event: OutboxEvent): void {
    switch (event.kind) {
      case "take":
        this.head = event.position;
        for (const destination of this.#destinations.values()) destination.take(event.position);
        return;
      case "acknowledge":
        this.#destinations.get(event.destination)?.acknowledge(event.position, event.unheard);
        return;
      case "drop":
        this.#drop(event, event.reason, event);
        return;
      case "refuse":
        for (const destination of this.#destinations.values()) destination.refuse(event.reason);
        this.#gaps.add({ epoch: this.epoch, count: 1, reason: event.reason, since: event.at, until: event.at });
        return;
      case "setAside":
        this.#setAside(event);
        return;
      case "join":
        this.#destinations.set(event.destination, Destination.like(this.#broker, event.destination));
        return;
      case "leave":
        this.#destinations.delete(event.destination);
        return;
      case "renumber":
        this.#gaps.renumber(this.#current.epoch, event.epoch);
        this.#current = { ...this.#current, epoch: event.epoch };
        this.#epochs = [...this.#epochs.slice(0, -1), this.#current];
        return;
      case "told":
        this.#gaps.acknowledge(event.gap);
        return;
    }
  }

  counters(destination: string): Counters {
    return this.destination(destination).counters();
  }

  snapshot(): OutboxSnapshot {
    return {
      epochs: this.epochs,
      head: this.head,
      destinations: this.destinations.map((destination) => destination.snapshot()),
      gaps: this.gaps,
    };
  }

  /** What the broker misses, everybody misses; what only a consumer had not confirmed is that consumer's gap. */
  #drop(range: Range, reason: string, span: Span): void {
    const everywhere = this.#broker.drop(range, reason);
    this.#note(everywhere, reason, span, DESTINATION);
    for (const destination of this.#destinations.values()) {
      if (destination === this.#broker) continue;
      const missing = LiveRanges.of(destination.drop(range, reason));
      for (const { from, to } of everywhere) missing.remove(from, to);
      this.#note(missing.toArray(), reason, span, destination.name);
    }
  }

  #setAside({ destination, stored, reason }: OutboxEvent & { kind: "setAside" }): void {
    const missing = this.#destinations.get(destination)?.setAside(stored.position, reason) ?? [];
    const { at } = stored.record;
    this.#note(missing, reason, { since: at, until: at }, destination);
  }

  #note(missing: readonly Range[], reason: string, { since, until }: Span, destination: string): void {
    for (const { epoch, from, to } of missing.flatMap((range) => seqRanges(range, this.epochs))) {
      this.#gaps.add({
        epoch,
        from,
        to,
        count: to - from + 1,
        reason,
        ...(since && { since }),
        ...(until && { until }),
        ...(destination !== DESTINATION && { destination }),
      });
    }
  }
}
