export interface StoreOptions {
  /** Directory of the database. */
  readonly path: string;
  /** Directory of the staging file: on tmpfs, so that it survives the process and never touches the card. */
  readonly stagingPath: string;
  /** What a power cut may cost at most, beside one sync of the disk; 0 writes every record through at once. */
  readonly commitWindowMs: number;
  /** Of the database's pages in use. */
  readonly maxBytes: number;
  /** The database does not grow while less than this is free on its file system (of a small one, a tenth of it). */
  readonly keepFreeBytes?: number;
  /** What gives way when `maxBytes` is reached, or `maxHeldBytes`: the oldest records, or those that come. */
  readonly whenFull: "drop_oldest" | "refuse_newest";
  /** Records older than this are dropped; absent: they are kept. */
  readonly maxAgeMs?: number;
  /** Of records in memory (and in staging, up to twice that) while the disk does not take them. */
  readonly maxHeldBytes?: number;
}

export const DEFAULT_MAX_HELD_BYTES = 16 * 1024 * 1024;
