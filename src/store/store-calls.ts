import type { Counters } from "../core/gateway.ts";
import type { BootAnchors } from "../core/timeline.ts";
import type { Range } from "./live-ranges.ts";
import type { EpochRow, SegmentText } from "./segments.ts";
import type { LedgerEntry } from "./store.ts";

/** What the store's worker does, and what goes through the port. */
export interface StoreCalls {
  /** Locks, opens and reads all but the records. A damaged database is moved aside: `quarantined` is its new path. */
  open(wallMs: number): Loaded;
  /** Moves a database that turned out to be damaged aside and begins a fresh one; returns the old one's new path. */
  quarantine(wallMs: number): string;
  /** One transaction, durable when it answers. Safe to repeat after a failure. */
  write(batch: Batch): void;
  usage(cursor: number): Usage;
  /** The segment that holds `position`, or the next one, and those after it until they make `records`. */
  read(position: number, records: number): ReadSegment[];
  /** End of the oldest whole segments that make up `bytes`; 0 when there is none. */
  oldest(bytes: number): number;
  /** End of the oldest whole segments that age out: sampled in `boot` before `monoMs`, or in one of `boots`. */
  aged(boot: string, monoMs: number, boots: readonly string[]): number;
  /** Deletes the segments that end at `position` or before, a little at a time. */
  trim(position: number): Promise<void>;
  close(): void;
}

export interface Loaded {
  readonly quarantined?: string;
  readonly epochs: EpochRow[];
  /** Every position up to here was seen to: in a segment, delivered or dropped. */
  readonly head: number;
  readonly cursor: number;
  readonly counters: Omit<Counters, "pending">;
  /** Positions in segments, neighbours joined. */
  readonly ranges: Range[];
  /** Positions that were set aside and may still be in a segment. */
  readonly dead: number[];
  readonly boots: BootAnchors[];
  readonly meta: Array<[key: string, value: string]>;
  readonly newest: Array<[device: string, channels: string]>;
  readonly tombstones: Array<[device: string, wallMs: number]>;
  readonly ledger: LedgerEntry[];
}

/** Changes for one transaction; what is absent stays as it is. */
export interface Batch {
  readonly outbox?: {
    readonly segments: readonly SegmentText[];
    readonly head: number;
    readonly cursor: number;
    readonly counters: Omit<Counters, "pending">;
  };
  readonly epochs?: readonly EpochRow[];
  readonly dead?: readonly DeadRow[];
  /** Positions whose segments cannot be read. */
  readonly unreadable?: readonly Range[];
  readonly boots?: readonly BootAnchors[];
  readonly meta?: ReadonlyArray<readonly [key: string, value: string | undefined]>;
  readonly newest?: ReadonlyArray<readonly [device: string, channels: string | undefined]>;
  readonly tombstones?: ReadonlyArray<readonly [device: string, wallMs: number | undefined]>;
  readonly ledger?: ReadonlyArray<LedgerEntry & { readonly present: boolean }>;
}

export interface DeadRow {
  readonly position: number;
  readonly destination: string;
  readonly epoch: number;
  readonly seq: number;
  readonly reason: string;
  readonly payload: string;
}

export type ReadSegment =
  | (SegmentText & { readonly corrupt?: never })
  | { readonly position0: number; readonly count: number; readonly corrupt: true };

export interface Usage {
  readonly bytes: number;
  /** Where and when the oldest segment after the cursor begins. */
  readonly oldest?: { readonly boot: string; readonly mono0: number };
}
