import type { Stamp } from "../../core/reading.ts";
import type { BootAnchors } from "../../core/timeline.ts";
import type { Free } from "../../sqlite/reserve.ts";
import type { DestinationSnapshot } from "../destination.ts";
import type { Gap } from "../gaps.ts";
import type { Range } from "../live-ranges.ts";
import type { EpochRow, SegmentText } from "../segments.ts";
import type { LedgerEntry } from "../store.ts";

/** What the store's worker does, and what goes through the port. */
export interface StoreCalls {
  /**
   * Locks, opens and reads all but the records. A damaged database is moved aside, and a fresh one has what could be
   * salvaged: `quarantined`. On a file system that cannot be written it is only read: `unwritable` says why.
   */
  open(wallMs: number): Loaded;
  /** Moves a database that turned out to be damaged aside and begins a fresh one with what is salvaged, beyond `settled`. */
  quarantine(wallMs: number, settled: number): Quarantined & { readonly ranges: readonly Range[] };
  /** One transaction, durable when it answers. Safe to repeat after a failure. */
  write(batch: Batch): void;
  usage(settled: number): Usage;
  /** The segment that holds `position`, or the next one, and those after it until they make `records`. */
  read(position: number, records: number): ReadSegment[];
  /** The oldest whole segments that make up `bytes`. */
  oldest(bytes: number): Stretch | undefined;
  /** The oldest whole segments that age out: sampled in `boot` before `monoMs`, or in one of `boots`. */
  aged(boot: string, monoMs: number, boots: readonly string[]): Stretch | undefined;
  /** Deletes the segments that end at `position` or before, a little at a time. */
  trim(position: number): Promise<void>;
  close(): void;
}

export interface StoreWorkerData {
  readonly directory: string;
  /** The store's limit; absent where nothing is added to it. */
  readonly maxBytes?: number;
  /** A directory that can be written when the store's cannot; absent where nobody would read then. */
  readonly scratch?: string;
}

export interface Loaded {
  readonly quarantined?: Quarantined;
  readonly unwritable?: string;
  readonly epochs: EpochRow[];
  /** Every position up to here was seen to: in a segment, delivered or dropped. */
  readonly head: number;
  readonly destinations: DiskDestination[];
  /** Positions in segments, neighbours joined. */
  readonly ranges: Range[];
  readonly gaps: Gap[];
  readonly boots: BootAnchors[];
  readonly meta: Array<[key: string, value: string]>;
  readonly newest: Array<[device: string, channels: string]>;
  readonly tombstones: Array<[device: string, wallMs: number]>;
  readonly ledger: LedgerEntry[];
}

export interface Quarantined {
  /** Where the damaged database is now. */
  readonly aside: string;
  /** How many records of it are in the fresh one. */
  readonly salvaged: number;
}

export interface DiskDestination extends Omit<DestinationSnapshot, "live"> {
  /** Positions that were set aside and may still be in a segment. */
  readonly dead: number[];
}

/** Changes for one transaction; what is absent stays as it is. */
export interface Batch {
  readonly outbox?: {
    readonly segments: readonly SegmentText[];
    readonly head: number;
    /** All of them: what the disk knows of others is forgotten. */
    readonly destinations: ReadonlyArray<Omit<DestinationSnapshot, "live">>;
  };
  readonly gaps?: ReadonlyArray<readonly [id: number, gap: Gap | undefined]>;
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

export interface Usage extends Free {
  /** Of the pages in use. */
  readonly bytes: number;
  readonly fileBytes: number;
  /** Where and when the oldest segment begins that somebody still waits for. */
  readonly oldest?: { readonly boot: string; readonly mono0: number };
}

/** Some whole segments from the oldest on. */
export interface Stretch {
  /** Position of the last record. */
  readonly end: number;
  /** When the first and the last record were sampled. */
  readonly since: Stamp;
  readonly until: Stamp;
}
