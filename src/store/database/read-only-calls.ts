import type { DeadRow, Loaded, ReadSegment } from "./store-calls.ts";

/** What the worker behind a read-only look at the store does. */
export interface ReadOnlyCalls {
  /** All but the records. */
  open(): Loaded;
  /** As the store's own `read`. */
  read(position: number, records: number): ReadSegment[];
  /** What was set aside, oldest first. */
  dead(): DeadRow[];
  /** Writes all of it, as it is at this moment, to a new file. */
  copyTo(file: string): void;
  close(): void;
}
