/** What the broker's database worker does, and what goes through the port. */
export interface PersistenceCalls {
  /**
   * Locks and opens the database, works what the staging file holds into it, and reads it all where `what` asks for it. A damaged database is moved
   * aside: `quarantined` is its new path.
   */
  open(wallMs: number, what: "all" | "nothing"): Loaded;
  /** Takes changes up; with `now` they are on the disk when it answers, else once the window asks for it. */
  take(changes: Uint8Array, batch: BatchFacts): Taken;
  /** Tries again what failed. On the disk when it answers. */
  flush(): Taken;
  /** So many topics at most, whose retained message was published before then and not since. */
  retainedBefore(beforeMs: number, limit: number): string[];
  close(): void;
}

export interface BatchFacts {
  readonly generation: number;
  readonly now: boolean;
  readonly nowMs: number;
  /** Some of them may be on the disk already. */
  readonly isRepeated?: boolean;
  /** Goes with the next commit. */
  readonly mark?: TimeMark;
}

export interface Loaded {
  /** As `ChangeWriter` writes them, whole changes in each. */
  readonly changes: readonly Uint8Array[];
  /** The largest id in use. */
  readonly lastId: number;
  readonly instance: string;
  readonly generation: number;
  readonly mark: TimeMark | undefined;
  readonly quarantined?: string;
}

export interface Taken {
  /** What was taken up to this generation needs no staging any more. */
  readonly generation: number;
  /** Some wait for the disk. */
  readonly waiting: boolean;
}

/** Where the broker's own timeline stood, by the clocks of the machine. */
export interface TimeMark {
  readonly ownMs: number;
  readonly boot: string;
  readonly monoMs: number;
  /** Null while the clock was not synced. */
  readonly wallMs: number | null;
}

export interface WorkerOptions {
  readonly directory: string;
  readonly stagingPath: string;
  readonly windowMs: number;
}
