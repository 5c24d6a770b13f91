import type { StoredRecord } from "../../core/reading.ts";

export interface HeldRecord {
  readonly stored: StoredRecord;
  readonly bytes: number;
  readonly acceptedMonoMs: number;
}

/** Records in memory, in order of position: accepted, and neither acknowledged nor on the disk. */
export class HeldRecords {
  /** What is before `#start` is gone already; cut off now and then, for shifting an array costs its length. */
  #records: HeldRecord[] = [];
  #start = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#records.length - this.#start;
  }

  get oldest(): HeldRecord | undefined {
    return this.#records[this.#start];
  }

  push(record: HeldRecord): void {
    this.#records.push(record);
    this.#bytes += record.bytes;
  }

  at(position: number): StoredRecord | undefined {
    const found = this.#records[this.#indexOf(position)];
    return found?.stored.position === position ? found.stored : undefined;
  }

  between(from: number, to: number): StoredRecord[] {
    const found: StoredRecord[] = [];
    for (let index = this.#indexOf(from); index < this.#records.length; index++) {
      const stored = this.#records[index]?.stored;
      if (!stored || stored.position > to) break;
      found.push(stored);
    }
    return found;
  }

  removeUpTo(position: number): void {
    while (this.oldest && this.oldest.stored.position <= position) {
      this.#bytes -= this.oldest.bytes;
      this.#start += 1;
    }
    if (this.#start > 1024 && this.#start * 2 > this.#records.length) this.#cut();
  }

  remove(position: number): void {
    const index = this.#indexOf(position);
    const found = this.#records[index];
    if (found?.stored.position !== position) return;
    this.#bytes -= found.bytes;
    this.#records.splice(index, 1);
  }

  renumber(from: number, to: number): void {
    this.#records = this.#records.map((record) =>
      record.stored.epoch === from ? { ...record, stored: { ...record.stored, epoch: to } } : record,
    );
  }

  /** The oldest ones, as many as make up `maxBytes` (all of them as a rule). */
  oldestWithin(maxBytes: number): StoredRecord[] {
    const found: StoredRecord[] = [];
    let bytes = 0;
    for (let index = this.#start; index < this.#records.length && bytes < maxBytes; index++) {
      const record = this.#records[index];
      if (!record) break;
      found.push(record.stored);
      bytes += record.bytes;
    }
    return found;
  }

  #cut(): void {
    this.#records = this.#records.slice(this.#start);
    this.#start = 0;
  }

  /** Index of the first record at `position` or above. */
  #indexOf(position: number): number {
    let low = this.#start;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#records[middle]?.stored.position ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
