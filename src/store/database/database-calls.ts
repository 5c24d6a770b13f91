import { setImmediate as turn } from "node:timers/promises";
import { type ErrorCode, GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Database } from "../../sqlite/database.ts";
import { asStoreError } from "../../sqlite/errors.ts";
import type { Free } from "../../sqlite/reserve.ts";
import { load } from "./load-tables.ts";
import { agedStretch, deleteSegments, oldestStretch, readSegments, usage } from "./segment-table.ts";
import type { Batch, Loaded, Quarantined, StoreCalls } from "./store-calls.ts";
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
  /** On a file system that takes no writes. */
  openReadOnly(): Pick<Database, "sql">;
  /** A fresh database, closed, in the place of the closed damaged one, with what of it, beyond `settled`, can be read. */
  replace(wallMs: number, settled: number): Quarantined;
  free(): Free;
  /** Gives up the room kept for a full disk; false when it was given up before. */
  releaseReserve(): boolean;
  /** True when it is there. */
  keepReserve(): boolean;
}

/** What the worker does with its database. Each call blocks for as long as the disk takes. */
export function storeCalls(disk: StoreDisk): StoreCalls {
  let lock: Disposable | undefined;
  let database: Database | undefined;
  let spent = false;
  let readOnly: Pick<Database, "sql"> | undefined;

  const current = (): Database => {
    lock ??= disk.lock();
    if (!database) {
      readOnly?.sql.close();
      readOnly = undefined;
      database = disk.open();
    }
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
  /** Once more after the WAL's own room was given back, by working it in. */
  const withRoom = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!isGatewayError(asStoreError(error), "STORE_FULL") || !database?.truncateWal()) throw error;
      return work();
    }
  };
  /** Deleting and counting need room too, in the WAL. It is kept for them: records would only fill it. */
  const withReserve = <T>(work: () => T): T => {
    try {
      return withRoom(work);
    } catch (error) {
      if (!isGatewayError(asStoreError(error), "STORE_FULL") || !disk.releaseReserve()) throw error;
      spent = true;
      return withRoom(work);
    }
  };
  /** What is on the disk can be read on a file system that takes no writes any more. */
  const reading = <T>(work: (open: Pick<Database, "sql">) => T): T => {
    try {
      return guarded(work);
    } catch (error) {
      if (!isGatewayError(error, "STORE_IO")) throw error;
      readOnly ??= disk.openReadOnly();
      return work(readOnly);
    }
  };

  /** Reads it too: not all damage is seen by a check. */
  const loaded = (wallMs: number): Loaded => {
    try {
      return withReserve(() => load(current()));
    } catch (error) {
      if (!isGatewayError(asStoreError(error), "STORE_CORRUPT")) throw error;
      close();
      const quarantined = disk.replace(wallMs, 0);
      return { ...load(current()), quarantined };
    }
  };

  return {
    open(wallMs) {
      try {
        const all = loaded(wallMs);
        disk.keepReserve();
        return all;
      } catch (thrown) {
        const error = withDirectory(thrown, disk.directory);
        if (!isGatewayError(error, "STORE_IO")) throw error;
        return { ...load(readOnlyOr(error)), unwritable: error.message };
      }
    },
    quarantine(wallMs, settled) {
      close();
      const quarantined = disk.replace(wallMs, settled);
      return { ...quarantined, ranges: load(current()).ranges };
    },
    write(batch) {
      const put = () =>
        guarded((open) => {
          open.transact(sizeOf(batch), () => write(open, batch));
          open.sync();
          open.checkpointIfDue();
        });
      if (batch.outbox?.segments.length) withRoom(put);
      else withReserve(put);
    },
    usage(settled) {
      if (disk.keepReserve()) spent = false;
      return { ...guarded((open) => usage(open, settled)), ...disk.free() };
    },
    read: (position, records) => reading((open) => readSegments(open, position, records)),
    oldest: (bytes) => guarded((open) => oldestStretch(open, bytes)),
    aged: (boot, monoMs, boots) => guarded((open) => agedStretch(open, boot, monoMs, boots)),
    async trim(position) {
      const deleteSome = () =>
        withReserve(() => guarded((open) => open.transact(0, () => deleteSegments(open, position, TRIM_SEGMENTS))));
      while (deleteSome() === TRIM_SEGMENTS) await turn();
      guarded((open) => {
        open.sql.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
        if (spent) open.truncateWal();
        else open.checkpointIfDue();
      });
    },
    close() {
      close();
      readOnly?.sql.close();
      lock?.[Symbol.dispose]();
    },
  };

  function readOnlyOr(error: GatewayError): Pick<Database, "sql"> {
    try {
      readOnly ??= disk.openReadOnly();
      return readOnly;
    } catch {
      throw error;
    }
  }
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
