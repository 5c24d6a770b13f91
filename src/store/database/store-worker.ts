import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { isGatewayError } from "../../core/errors.ts";
import { Database, openReadOnly } from "../../sqlite/database.ts";
import { asStoreError } from "../../sqlite/errors.ts";
import { quarantine, syncDirectoryOf } from "../../sqlite/files.ts";
import { lockFile } from "../../sqlite/lock.ts";
import { freeOf, Reserve } from "../../sqlite/reserve.ts";
import { serve } from "../../sqlite/serve.ts";
import { openUnwritable } from "../../sqlite/unwritable.ts";
import { storeCalls } from "./database-calls.ts";
import { rebuild } from "./rebuild.ts";
import { DATABASE_NAME, migrations } from "./schema.ts";
import type { Quarantined, StoreCalls, StoreWorkerData } from "./store-calls.ts";

const { directory, maxBytes, scratch } = workerData as StoreWorkerData;
const path = join(directory, DATABASE_NAME);
/** Where a fresh database grows until it takes the place of a damaged one. */
const fresh = `${path}.new`;
/** All of a WAL must find room in the database before it can begin anew. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** Our own limits, which drop and refuse with a reason, come first; a bug in them must not fill the card. */
const HARD_LIMIT_FACTOR = 1.25;
const HARD_LIMIT_MORE_BYTES = 16 * 1024 * 1024;

const reserve = new Reserve(join(directory, "reserve"), RESERVE_BYTES);

serve<StoreCalls>(
  storeCalls({
    directory,
    lock() {
      mkdirSync(directory, { recursive: true });
      return lockFile(join(directory, "store.lock"));
    },
    open() {
      if (!existsSync(path) && existsSync(fresh)) adopt();
      return openAt(path);
    },
    openReadOnly: () => openUnwritable(path, scratch),
    replace(wallMs, settled) {
      reserve.release();
      const salvaged = grow(settled);
      const aside = quarantine(path, wallMs);
      adopt();
      return { aside, salvaged } satisfies Quarantined;
    },
    free: () => freeOf(directory),
    releaseReserve: () => reserve.release(),
    keepReserve: () => reserve.keep(),
  }),
);

function openAt(file: string): Database {
  return new Database({
    path: file,
    migrations,
    ...(maxBytes !== undefined && { maxBytes: maxBytes * HARD_LIMIT_FACTOR + HARD_LIMIT_MORE_BYTES }),
  });
}

/** The damaged database stays where it is until the fresh one is whole: an interrupted salvage begins anew. */
function grow(settled: number): number {
  remove(fresh);
  const database = openAt(fresh);
  const damaged = openDamaged();
  try {
    return rebuild(database, path, damaged, settled);
  } finally {
    damaged?.sql.close();
    database.close();
    syncDirectoryOf(fresh);
  }
}

/** The last step of a replacement, also of one that was interrupted before it. A closed database is a file of its own. */
function adopt(): void {
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  renameSync(fresh, path);
  syncDirectoryOf(path);
}

function remove(file: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
}

function openDamaged(): Pick<Database, "sql"> | undefined {
  try {
    return { sql: openReadOnly(path) };
  } catch (error) {
    if (isGatewayError(asStoreError(error))) return undefined;
    throw error;
  }
}
