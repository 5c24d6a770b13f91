import type { StoredRecord } from "../../core/reading.ts";
import type { Publication } from "../link.ts";

/** A reading on its way to the broker. */
export interface Parcel {
  readonly record: StoredRecord;
  /** What was there before this connection. */
  readonly isBacklog: boolean;
  /** As it was sent last: its time may be known better at the next try. */
  message: Publication | undefined;
  /** How often the broker has forbidden it. */
  forbidden: number;
  isDone: boolean;
  isUnheard: boolean;
}

export function parcelOf(record: StoredRecord, isBacklog: boolean): Parcel {
  return { record, isBacklog, message: undefined, forbidden: 0, isDone: false, isUnheard: false };
}

/** Parcels in the order of the outbox, and how far all of them have arrived: that is as far as the cursor may go. */
export class Progress {
  #parcels: Parcel[] = [];
  /** What is before it has arrived; cut off now and then, for shifting an array costs its length. */
  #start = 0;

  get size(): number {
    return this.#parcels.length - this.#start;
  }

  add(parcel: Parcel): void {
    this.#parcels.push(parcel);
  }

  /** Takes what has arrived without a hole off the front. Undefined while the first one is still on its way. */
  take(): { readonly position: number; readonly unheard: number } | undefined {
    let position: number | undefined;
    let unheard = 0;
    for (let first = this.#parcels[this.#start]; first?.isDone; first = this.#parcels[++this.#start]) {
      position = first.record.position;
      if (first.isUnheard) unheard++;
    }
    if (position === undefined) return undefined;
    if (this.#start > 1024) {
      this.#parcels = this.#parcels.slice(this.#start);
      this.#start = 0;
    }
    return { position, unheard };
  }
}
