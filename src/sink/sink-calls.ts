/** One reading as it came. */
export interface ReadingRow {
  readonly gateway: string;
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
  readonly clock: string;
  /** JSON. */
  readonly values: string;
}

/** Readings that will not come, as the gateway says. */
export interface GapRow {
  readonly gateway: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** The gateway says which is the last reading of an epoch. */
export interface EpochEnd {
  readonly gateway: string;
  readonly epoch: number;
  readonly last: number;
}

/** How far a gateway's readings are there without a hole, and the first hole after that. */
export interface Progress {
  readonly gateway: string;
  readonly epoch: number;
  /** 0: nothing of this epoch. */
  readonly seq: number;
  readonly hole?: Hole;
}

export interface Hole {
  readonly from: number;
  /** Absent: to the end of the epoch, wherever that is; there is a later one. */
  readonly to?: number;
}

export interface Batch {
  readonly readings: readonly ReadingRow[];
  readonly gaps: readonly GapRow[];
  readonly ends: readonly EpochEnd[];
}

export interface Totals {
  readonly gateway: string;
  readonly readings: number;
  /** Known not to come. */
  readonly lost: number;
}

/** What the sink's worker thread does. */
export interface SinkCalls {
  /** Opens or creates the database; what is there of each gateway. */
  open(): Progress[];
  /** One transaction, durable when it answers. Gives the progress of the gateways concerned, and how many were new. */
  write(batch: Batch): { readonly progress: Progress[]; readonly added: number };
  totals(): Totals[];
  close(): void;
}
