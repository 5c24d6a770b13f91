import { setImmediate as turn } from "node:timers/promises";
import { type ErrorCode, GatewayError, isGatewayError } from "../core/errors.ts";
import type { Database } from "../sqlite/database.ts";
import { asStoreError } from "../sqlite/errors.ts";
import { load } from "./load-tables.ts";
import { agedStretch, deleteSegments, oldestStretch, readSegments, usage } from "./segment-table.ts";
import type { Batch, StoreCalls } from "./store-calls.ts";
import { write } from "./write-tables.ts";

/** Segments deleted in one transaction: some milliseconds on a card, so that a commit in between is not held up. */
const TRIM_SEGMENTS = 200;
const VACUUM_PAGES = 256;
const CLOSE_AFTER: readonly ErrorCode[] = ["STORE_IO", "STORE_CORRUPT"];

/** Where the database is. The simulation has one in memory whose power can be cut. */
export interface StoreDisk {
  /** Where it is, for the operator. */
  readonly directory: string;
  /** For this process alone, until disposed of. Throws STORE_LOCKED. */
  lock(): Disposable;
  /** Throws as `Database` does. */
  open(): Database;
  /** Opens, and opens a fresh one in the place of a damaged one, whose new path it returns. */
  openOrQuarantine(wallMs: number, open: () => unknown): string | undefined;
  /** Moves the closed database aside; returns its new path. */
  quarantine(wallMs: number): string;
}

/** What the worker does with its database. Each call blocks for as long as the disk takes. */
export function storeCalls(disk: StoreDisk): StoreCalls {
  let lock: Disposable | undefined;
  let database: Database | undefined;

  const current = (): Database => {
    database ??= disk.open();
    return database;
  };
  const close = (): void => {
    try {
      database?.close();
    } finally {
      database = undefined;
    }
  };
  /**
   * After an I/O error the database is closed, which works the WAL into it from what the kernel still has, and opened
   * again at the next call: a failed fsync is not repaired by another one (fsync(2), EIO).
   */
  const guarded = <T>(work: (open: Database) => T): T => {
    try {
      return work(current());
    } catch (thrown) {
      const error = asStoreError(thrown);
      if (isGatewayError(error, ...CLOSE_AFTER)) close();
      throw error;
    }
  };

  return {
    open(wallMs) {
      try {
        lock ??= disk.lock();
        const quarantined = disk.openOrQuarantine(wallMs, current);
        return { ...load(current()), ...(quarantined && { quarantined }) };
      } catch (error) {
        throw withDirectory(error, disk.directory);
      }
    },
    quarantine(wallMs) {
      close();
      const aside = disk.quarantine(wallMs);
      current();
      return aside;
    },
    write: (batch) =>
      guarded((open) => {
        open.transact(sizeOf(batch), () => write(open, batch));
        open.sync();
        open.checkpointIfDue();
      }),
    usage: (cursor) => guarded((open) => usage(open, cursor)),
    read: (position, records) => guarded((open) => readSegments(open, position, records)),
    oldest: (bytes) => guarded((open) => oldestStretch(open, bytes)),
    aged: (boot, monoMs, boots) => guarded((open) => agedStretch(open, boot, monoMs, boots)),
    async trim(position) {
      const deleteSome = () => guarded((open) => open.transact(0, () => deleteSegments(open, position, TRIM_SEGMENTS)));
      while (deleteSome() === TRIM_SEGMENTS) await turn();
      guarded((open) => {
        open.sql.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
        open.checkpointIfDue();
      });
    },
    close() {
      close();
      lock?.[Symbol.dispose]();
    },
  };
}

/** SQLite does not say which file it could not open. */
function withDirectory(thrown: unknown, directory: string): unknown {
  const error = asStoreError(thrown);
  if (!isGatewayError(error, "STORE_IO", "STORE_FULL")) return error;
  return new GatewayError(error.code, `the store in ${directory} cannot be opened: ${error.message}`, { cause: error });
}

function sizeOf(batch: Batch): number {
  return (batch.outbox?.segments ?? []).reduce((sum, segment) => sum + segment.text.length, 0);
}
