import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { type ErrorCode, GatewayError, isGatewayError } from "../core/errors.ts";
import { Database } from "../sqlite/database.ts";
import { asStoreError } from "../sqlite/errors.ts";
import { openOrQuarantine, quarantine } from "../sqlite/files.ts";
import { lockFile } from "../sqlite/lock.ts";
import { serve } from "../sqlite/serve.ts";
import { DATABASE_NAME, migrations } from "./schema.ts";
import type { Batch, StoreCalls } from "./store-calls.ts";
import { deleteSegments, endOfAged, endOfOldest, load, readSegments, usage, write } from "./tables.ts";

const { directory } = workerData as { readonly directory: string };
const path = join(directory, DATABASE_NAME);
/** Segments deleted in one transaction: some milliseconds on a card, so that a commit in between is not held up. */
const TRIM_SEGMENTS = 200;
const VACUUM_PAGES = 256;

let lock: Disposable | undefined;
let open: Database | undefined;

serve<StoreCalls>({
  open(wallMs) {
    try {
      mkdirSync(directory, { recursive: true });
      lock ??= lockFile(join(directory, "store.lock"));
      const quarantined = openOrQuarantine(path, wallMs, current);
      return { ...load(current()), ...(quarantined && { quarantined }) };
    } catch (error) {
      throw withDirectory(error);
    }
  },
  quarantine(wallMs) {
    close();
    const aside = quarantine(path, wallMs);
    current();
    return aside;
  },
  write: (batch) =>
    guarded((database) => {
      database.transact(sizeOf(batch), () => write(database, batch));
      database.sync();
      database.checkpointIfDue();
    }),
  usage: (cursor) => guarded((database) => usage(database, cursor)),
  read: (position, records) => guarded((database) => readSegments(database, position, records)),
  oldest: (bytes) => guarded((database) => endOfOldest(database, bytes)),
  aged: (boot, monoMs, boots) => guarded((database) => endOfAged(database, boot, monoMs, boots)),
  trim,
  close() {
    close();
    lock?.[Symbol.dispose]();
  },
});

/** SQLite does not say which file it could not open. */
function withDirectory(thrown: unknown): unknown {
  const error = asStoreError(thrown);
  if (!isGatewayError(error, "STORE_IO", "STORE_FULL")) return error;
  return new GatewayError(error.code, `the store in ${directory} cannot be opened: ${error.message}`, { cause: error });
}

function current(): Database {
  open ??= new Database({ path, migrations });
  return open;
}

const CLOSE_AFTER: readonly ErrorCode[] = ["STORE_IO", "STORE_CORRUPT"];

/**
 * After an I/O error the database is closed, which works the WAL into it from what the kernel still has, and opened
 * again at the next call: a failed fsync is not repaired by another one (fsync(2), EIO).
 */
function guarded<T>(work: (database: Database) => T): T {
  try {
    return work(current());
  } catch (thrown) {
    const error = asStoreError(thrown);
    if (isGatewayError(error, ...CLOSE_AFTER)) close();
    throw error;
  }
}

async function trim(position: number): Promise<void> {
  const deleteSome = () =>
    guarded((database) => database.transact(0, () => deleteSegments(database, position, TRIM_SEGMENTS)));
  while (deleteSome() === TRIM_SEGMENTS) await turn();
  guarded((database) => {
    database.sql.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
    database.checkpointIfDue();
  });
}

function close(): void {
  try {
    open?.close();
  } finally {
    open = undefined;
  }
}

function sizeOf(batch: Batch): number {
  return (batch.outbox?.segments ?? []).reduce((sum, segment) => sum + segment.text.length, 0);
}
