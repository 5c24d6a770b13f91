import type { StoredRecord } from "../core/reading.ts";
import type { DiskTier } from "./disk-tier.ts";
import type { Journal } from "./journal.ts";
import { DESTINATION } from "./outbox-state.ts";
import type { SegmentReader } from "./segment-reader.ts";
import type { Outbox } from "./store.ts";

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

  cursor(destination: string): number {
    check(destination);
    return this.#journal.state.cursor;
  }

  async after(position: number, limit: number): Promise<StoredRecord[]> {
    const { live } = this.#journal.state;
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

  arrival(position: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#journal.state.live.next(position) !== undefined) return resolve();
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
    check(destination);
    this.#journal.acknowledge(position, unheard);
  }

  setAside(destination: string, record: StoredRecord, reason: string): void {
    check(destination);
    this.#journal.setAside(record, reason);
  }

  /** Wakes who waits for a record at `position`. */
  arrived(position: number): void {
    for (const waiter of this.#waiters) if (waiter.position < position) waiter.wake();
  }

  /** While it was read it may have gone to the disk, been delivered or dropped; then what is next is asked again. */
  async #readDisk(position: number): Promise<readonly StoredRecord[]> {
    if (position > this.#disk.durable) {
      throw new Error(`record ${position} is neither in memory nor on the disk (durable to ${this.#disk.durable})`);
    }
    return this.#reader.from(position);
  }
}

function check(destination: string): void {
  if (destination !== DESTINATION) throw new Error(`the outbox has no destination ${destination}`);
}
