import type { StoredRecord } from "../../core/reading.ts";
import { DESTINATION } from "../destination.ts";
import type { DiskTier } from "../disk/disk-tier.ts";
import type { SegmentReader } from "../disk/segment-reader.ts";
import type { Gap } from "../gaps.ts";
import type { Outbox } from "../store.ts";
import type { Journal } from "./journal.ts";

/** So many records are looked at in one go. */
const CHUNK = 500;

interface Waiter {
  readonly position: number;
  wake(): void;
}

/** The outbox over both tiers. */
export class JournalOutbox implements Outbox {
  readonly #journal: Journal;
  readonly #disk: DiskTier;
  readonly #reader: SegmentReader;
  readonly #waiters = new Set<Waiter>();

  constructor(journal: Journal, disk: DiskTier, reader: SegmentReader) {
    this.#journal = journal;
    this.#disk = disk;
    this.#reader = reader;
  }

  get head(): number {
    return this.#journal.state.head;
  }

  get destinations(): readonly string[] {
    return this.#journal.state.destinations.map(({ name }) => name);
  }

  setConsumers(consumers: readonly string[]): void {
    this.#journal.setConsumers(consumers);
  }

  cursor(destination: string): number {
    return this.#journal.state.destination(destination).cursor;
  }

  position(epoch: number, seq: number): number | undefined {
    const { epochs, head } = this.#journal.state;
    const index = epochs.findIndex((candidate) => candidate.epoch === epoch);
    const position = (epochs[index]?.base ?? Number.NaN) + seq;
    return seq >= 1 && position <= (epochs[index + 1]?.base ?? head) ? position : undefined;
  }

  lastSeq(epoch: number): number | undefined {
    const { epochs, head } = this.#journal.state;
    const index = epochs.findIndex((candidate) => candidate.epoch === epoch);
    const row = epochs[index];
    return row && (epochs[index + 1]?.base ?? head) - row.base;
  }

  async after(position: number, limit: number, destination = DESTINATION): Promise<StoredRecord[]> {
    if (this.#journal.provisional) return [];
    const { live } = this.#journal.state.destination(destination);
    const found: StoredRecord[] = [];
    let next = live.next(position);
    while (next !== undefined && found.length < limit) {
      const held = this.#journal.held.at(next);
      const records = held ? [held] : await this.#readDisk(next);
      for (const stored of records) if (found.length < limit && live.has(stored.position)) found.push(stored);
      next = live.next(records.at(-1)?.position ?? next - 1);
    }
    return found;
  }

  async range(epoch: number, from: number, to: number, limit: number): Promise<StoredRecord[]> {
    const { epochs, head } = this.#journal.state;
    const index = epochs.findIndex((candidate) => candidate.epoch === epoch);
    const row = epochs[index];
    if (!row || this.#journal.provisional) return [];
    const first = row.base + Math.max(1, from);
    const last = Math.min(row.base + to, epochs[index + 1]?.base ?? head);
    const onDisk = await this.#reader.range(first, last, limit);
    const inMemory = this.#journal.held.between(Math.max(first, (onDisk.at(-1)?.position ?? 0) + 1), last);
    return [...onDisk, ...inMemory].slice(0, limit);
  }

  arrival(position: number, signal: AbortSignal, destination = DESTINATION): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#journal.state.destination(destination).live.next(position) !== undefined) return resolve();
      const waiter: Waiter = {
        position,
        wake: () => {
          this.#waiters.delete(waiter);
          signal.removeEventListener("abort", abort);
          resolve();
        },
      };
      const abort = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  acknowledge(destination: string, position: number, unheard = 0): void {
    this.#journal.acknowledge(destination, position, unheard);
  }

  setAside(destination: string, record: StoredRecord, reason: string): void {
    this.#journal.setAside(destination, record, reason);
  }

  gaps(): readonly Gap[] {
    const { provisional, state } = this.#journal;
    // Those of an epoch that may get another number are told when it has it.
    return provisional ? state.gaps.filter(({ epoch }) => epoch !== state.epoch) : state.gaps;
  }

  acknowledgeGap(gap: Gap): void {
    this.#journal.acknowledgeGap(gap);
  }

  async waiting(device: string): Promise<number> {
    let count = 0;
    for await (const _ of this.#of(device, DESTINATION)) count++;
    return count;
  }

  async discard(device: string | undefined, reason: string): Promise<void> {
    for (const destination of this.destinations) {
      for await (const stored of this.#of(device, destination)) this.#journal.discard(stored, reason);
    }
  }

  /** Wakes who waits for a record at `position`. */
  arrived(position: number): void {
    for (const waiter of this.#waiters) if (waiter.position < position) waiter.wake();
  }

  async *#of(device: string | undefined, destination: string): AsyncGenerator<StoredRecord> {
    for (let position = 0; ; ) {
      const records = await this.after(position, CHUNK, destination);
      const last = records.at(-1);
      if (!last) return;
      position = last.position;
      yield* records.filter(({ record }) => device === undefined || record.device === device);
    }
  }

  /** While it was read it may have gone to the disk, been delivered or dropped; then what is next is asked again. */
  async #readDisk(position: number): Promise<readonly StoredRecord[]> {
    if (position > this.#disk.durable) {
      throw new Error(`record ${position} is neither in memory nor on the disk (durable to ${this.#disk.durable})`);
    }
    return this.#reader.from(position);
  }
}
