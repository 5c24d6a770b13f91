import type { StoredRecord } from "../../core/reading.ts";
import type { Range } from "../live-ranges.ts";
import { type EpochRow, recordsOf } from "../segments.ts";
import type { DiskTier } from "./disk-tier.ts";

/** A drain asks for a window at a time, so some segments are fetched ahead; more would only take memory. */
const RECORDS_A_FETCH = 1000;
const CACHED_RECORDS = 4000;

/** Records on the disk by position; each segment is inflated once on the way through. */
export class SegmentReader {
  readonly #disk: DiskTier;
  readonly #epochs: () => readonly EpochRow[];
  readonly #cache = new Map<number, readonly StoredRecord[]>();
  #cached = 0;
  /** What is being read ahead: whoever gets there waits for it. */
  #ahead: { readonly position: number; readonly records: Promise<readonly StoredRecord[]> } | undefined;

  constructor(disk: DiskTier, epochs: () => readonly EpochRow[]) {
    this.#disk = disk;
    this.#epochs = epochs;
  }

  /** From `position` to the end of its segment; empty when there is none to read, which is then dropped and counted. */
  async from(position: number): Promise<readonly StoredRecord[]> {
    const records = this.#cachedAt(position) ?? (await this.#awaited(position));
    this.#readAhead((records.at(-1)?.position ?? position) + 1);
    const [first] = records;
    return first ? records.slice(position - first.position) : [];
  }

  /** Whatever of `from` to `to` the disk has, waiting or not; nothing is dropped for being unreadable. */
  async range(from: number, to: number, limit: number): Promise<StoredRecord[]> {
    const found: StoredRecord[] = [];
    for (let next = from; next <= to && found.length < limit; ) {
      const segments = await this.#disk.read(next, RECORDS_A_FETCH);
      const last = segments.at(-1);
      if (!last) break;
      for (const segment of segments) if (!segment.corrupt) found.push(...recordsOf(segment, this.#epochs()));
      next = last.position0 + last.count;
    }
    return found.filter(({ position }) => position >= from && position <= to).slice(0, limit);
  }

  #cachedAt(position: number): readonly StoredRecord[] | undefined {
    for (const records of this.#cache.values()) {
      const first = records[0]?.position ?? Number.POSITIVE_INFINITY;
      if (first <= position && position < first + records.length) return records;
    }
    return undefined;
  }

  #awaited(position: number): Promise<readonly StoredRecord[]> {
    return this.#ahead?.position === position ? this.#ahead.records : this.#fetch(position);
  }

  /** So that a drain need not stand still for each segment. */
  #readAhead(position: number): void {
    if (this.#ahead || position > this.#disk.durable || this.#cachedAt(position)) return;
    const records = this.#fetch(position);
    this.#ahead = { position, records };
    const over = () => {
      this.#ahead = undefined;
    };
    // Whoever waits for it hears why it failed, and who comes later tries again.
    records.then(over, over);
  }

  async #fetch(position: number): Promise<readonly StoredRecord[]> {
    // Records that are written while it reads are not missing.
    const { durable } = this.#disk;
    const segments = await this.#disk.read(position, RECORDS_A_FETCH);
    for (const segment of segments) {
      const range = { from: segment.position0, to: segment.position0 + segment.count - 1 };
      const records = segment.corrupt ? [] : recordsOf(segment, this.#epochs());
      if (isWhole(records, range)) this.#keep(records);
      else this.#disk.dropUnreadable(range);
    }
    const next = segments[0]?.position0 ?? durable + 1;
    // Counted as waiting and nowhere on the disk: skipped, so that it cannot hold up what comes after it.
    if (next > position) this.#disk.dropUnreadable({ from: position, to: Math.min(next - 1, durable) });
    return this.#cachedAt(position) ?? [];
  }

  #keep(records: readonly StoredRecord[]): void {
    const first = records[0]?.position ?? 0;
    this.#cached += records.length - (this.#cache.get(first)?.length ?? 0);
    this.#cache.set(first, records);
    for (const [position, oldest] of this.#cache) {
      if (this.#cached <= CACHED_RECORDS || position === first) break;
      this.#cache.delete(position);
      this.#cached -= oldest.length;
    }
  }
}

/** The row beside the blob may be damaged, too. */
function isWhole(records: readonly StoredRecord[], { from, to }: Range): boolean {
  return records[0]?.position === from && records.at(-1)?.position === to;
}
