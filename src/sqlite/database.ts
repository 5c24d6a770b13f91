import { closeSync, existsSync, fdatasyncSync, fstatSync, openSync, statSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { GatewayError } from "../core/errors.ts";
import { syncDirectoryOf } from "./files.ts";
import { PAGE_BYTES } from "./page.ts";

export interface DatabaseOptions {
  readonly path: string;
  /** The schema's history, one SQL script a version, each run in one transaction; `user_version` counts them. */
  readonly migrations: readonly string[];
  /** SQLITE_FULL beyond it; the caller's own limits come long before. */
  readonly maxBytes?: number;
}

/** A waiting CLI or backup must not hold the service's worker for long; what failed is tried again. */
const BUSY_TIMEOUT_MS = 100;
/** How much the WAL may grow before it is worked into the database: the more, the less the card is worn. */
const CHECKPOINT_BYTES = 2 * 1024 * 1024;

/**
 * One SQLite file in WAL mode. Only for worker threads: each call blocks for as long as the card takes.
 *
 * `synchronous=NORMAL` never syncs a commit; `sync()` does, with fdatasync instead of SQLite's fsync. It makes all
 * commits before it durable, and the caller decides how many share one.
 */
export class Database {
  readonly sql: Sqlite.Database;
  readonly #path: string;
  #walFd: number | undefined;
  #walBytes = 0;

  /** Throws STORE_NEWER, STORE_CORRUPT or SQLite's own errors (see `asStoreError`). */
  constructor(options: DatabaseOptions) {
    this.#path = options.path;
    const isNew = !existsSync(options.path);
    if (!isNew) refuseEmpty(options);
    if (!isNew) refuseNewer(options);
    this.sql = new Sqlite(options.path, { timeout: BUSY_TIMEOUT_MS });
    try {
      setPragmas(this.sql);
      if (!isNew) quickCheck(this.sql, options.path);
      migrate(this.sql, options.migrations);
      if (options.maxBytes !== undefined)
        this.sql.pragma(`max_page_count = ${Math.ceil(options.maxBytes / PAGE_BYTES)}`);
      if (isNew) syncDirectoryOf(options.path);
    } catch (error) {
      this.sql.close();
      throw error;
    }
  }

  /** Runs `work` in one transaction; about `bytes` of data go into it. */
  transact<T>(bytes: number, work: () => T): T {
    const result = this.sql.transaction(work).immediate();
    this.#walBytes += bytes + 4 * PAGE_BYTES;
    return result;
  }

  /** Makes everything committed so far survive a power cut. A failure is not repaired by calling again: reopen. */
  sync(): void {
    this.#walFd ??= this.#openWal();
    fdatasyncSync(this.#walFd);
  }

  /** Works the WAL into the database once it is long enough to be worth it. */
  checkpointIfDue(): void {
    if (this.#walBytes < CHECKPOINT_BYTES) return;
    this.sql.pragma("wal_checkpoint(PASSIVE)");
    this.#walBytes = 0;
  }

  /** Works the WAL into the database and gives its room back; false where there is none, or the database cannot grow. */
  truncateWal(): boolean {
    try {
      const before = this.#walFd === undefined ? 0 : fstatSync(this.#walFd).size;
      const [result] = this.sql.pragma("wal_checkpoint(TRUNCATE)") as Array<{ readonly busy: number }>;
      this.#walBytes = 0;
      return before > 0 && result?.busy === 0;
    } catch {
      return false;
    }
  }

  /** Bytes of the file, and of its pages in use: freed pages leave room for others. */
  size(): { readonly fileBytes: number; readonly usedBytes: number } {
    const pages = Number(this.sql.pragma("page_count", { simple: true }));
    const free = Number(this.sql.pragma("freelist_count", { simple: true }));
    return { fileBytes: pages * PAGE_BYTES, usedBytes: (pages - free) * PAGE_BYTES };
  }

  close(): void {
    if (this.#walFd !== undefined) closeSync(this.#walFd);
    this.#walFd = undefined;
    this.sql.close();
  }

  #openWal(): number {
    const fd = openSync(`${this.#path}-wal`, "r");
    syncDirectoryOf(this.#path);
    return fd;
  }
}

/** For looking at a database that a service may be using at the same time; hold it briefly, it keeps the WAL from shrinking. */
export function openReadOnly(path: string): Sqlite.Database {
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}

/** SQLite takes a file of no bytes for a new database; it is what an unclean shutdown leaves of one. */
function refuseEmpty({ path }: DatabaseOptions): void {
  if (statSync(path).size === 0) throw new GatewayError("STORE_CORRUPT", `${path} is empty`);
}

/** Looks through a read-only connection, so that a database of a newer version stays untouched, its WAL included. */
function refuseNewer({ path, migrations }: DatabaseOptions): void {
  const sql = openReadOnly(path);
  try {
    const version = Number(sql.pragma("user_version", { simple: true }));
    if (version <= migrations.length) return;
    throw new GatewayError("STORE_NEWER", `${path} has schema ${version}, this version knows ${migrations.length}`);
  } finally {
    sql.close();
  }
}

function setPragmas(sql: Sqlite.Database): void {
  // Only a database without tables takes these two.
  sql.pragma(`page_size = ${PAGE_BYTES}`);
  sql.pragma("auto_vacuum = INCREMENTAL");
  const mode = sql.pragma("journal_mode = WAL", { simple: true });
  if (mode !== "wal") throw new GatewayError("STORE_IO", `the file system cannot hold a WAL (journal mode ${mode})`);
  sql.pragma("synchronous = NORMAL");
  sql.pragma("wal_autocheckpoint = 0");
  // In KiB. What is written and read goes in order; better-sqlite3's 16 MB would only fill up with a backlog.
  sql.pragma("cache_size = -4000");
  sql.pragma("journal_size_limit = 4194304");
  sql.pragma("cell_size_check = ON");
  sql.pragma("temp_store = MEMORY");
}

function quickCheck(sql: Sqlite.Database, path: string): void {
  const verdict = sql.pragma("quick_check(1)", { simple: true });
  if (verdict !== "ok") throw new GatewayError("STORE_CORRUPT", `${path}: ${verdict}`);
}

/** All of it or nothing. */
function migrate(sql: Sqlite.Database, migrations: readonly string[]): void {
  const version = Number(sql.pragma("user_version", { simple: true }));
  if (version >= migrations.length) return;
  sql
    .transaction(() => {
      for (const script of migrations.slice(version)) sql.exec(script);
      sql.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}
