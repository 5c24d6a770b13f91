import Sqlite from "better-sqlite3";
import type { Database } from "../../src/sqlite/database.ts";
import type { StoreDisk } from "../../src/store/database/database-calls.ts";
import { migrations } from "../../src/store/database/schema.ts";

const PAGE_BYTES = 1024;
const IMAGE: Buffer = freshImage();

function freshImage(): Buffer {
  const sql = new Sqlite(":memory:");
  sql.pragma(`page_size = ${PAGE_BYTES}`);
  sql.pragma("auto_vacuum = INCREMENTAL");
  for (const script of migrations) sql.exec(script);
  sql.pragma(`user_version = ${migrations.length}`);
  const image = sql.serialize();
  sql.close();
  return image;
}

const DISK_BYTES = 32 * 1024 ** 3;
const RESERVE_TRANSACTIONS = 3;

/** What is wrong with the disk. */
export type DiskFault = "full" | "io_error" | "sync_fails";

/**
 * The card with the store's database on it: the real tables in SQLite's memory. Commits are there at once for whoever asks
 * next, and for good only after a sync; at a power cut the later ones are there up to some point.
 */
export class Disk {
  fault: DiskFault | undefined;
  /** Says that a sync was done without doing it: what the simulation has to notice. */
  lies = false;
  #sql: Sqlite.Database;
  /** Room that is kept for a full disk, and how many transactions it is still good for. */
  #reserve = true;
  #room = 0;
  /** As it was at the last sync; undefined while nothing was changed since. */
  #synced: Buffer | undefined;

  constructor() {
    this.#sql = new Sqlite(IMAGE);
  }

  /** `keepsAll`: the kernel happened to have written everything. */
  powerCut(keepsAll: boolean): void {
    if (!keepsAll && this.#synced) {
      this.#sql.close();
      this.#sql = new Sqlite(this.#synced);
    }
    this.#synced = undefined;
    this.fault = undefined;
  }

  /** Was it told of this epoch, for good? */
  knowsEpoch(epoch: number): boolean {
    return this.#sql.prepare("SELECT 1 FROM epoch WHERE epoch = ?").get(epoch) !== undefined;
  }

  /** For one process. */
  mount(): StoreDisk {
    return {
      directory: "/sim",
      lock: () => ({ [Symbol.dispose]() {} }),
      // The class has private members, so nothing else is one for the type checker.
      open: () => this.#database() as unknown as Database,
      openReadOnly: () => ({ sql: Object.assign(withCachedStatements(this.#sql), { close() {} }) }),
      replace: () => {
        throw new Error("nothing damages this disk");
      },
      free: () => ({ freeBytes: this.fault === "full" ? 0 : DISK_BYTES, totalBytes: DISK_BYTES }),
      releaseReserve: () => {
        const isThere = this.#reserve;
        this.#reserve = false;
        this.#room = isThere ? RESERVE_TRANSACTIONS : 0;
        return isThere;
      },
      keepReserve: () => {
        this.#reserve ||= this.fault !== "full";
        return this.#reserve;
      },
    };
  }

  #database(): Pick<Database, keyof Database> {
    return {
      sql: withCachedStatements(this.#sql),
      transact: (_bytes, work) => {
        if (this.fault === "io_error") throw failure("SQLITE_IOERR_WRITE");
        this.#synced ??= this.#sql.serialize();
        const full = this.fault === "full" && this.#room-- <= 0;
        return this.#sql
          .transaction(() => {
            const result = work();
            if (full) throw failure("SQLITE_FULL");
            return result;
          })
          .immediate();
      },
      sync: () => {
        if (this.fault === "sync_fails") throw failure("EIO");
        if (!this.lies) this.#synced = undefined;
      },
      checkpointIfDue() {},
      truncateWal: () => false,
      size: () => {
        const pages = Number(this.#sql.pragma("page_count", { simple: true }));
        const free = Number(this.#sql.pragma("freelist_count", { simple: true }));
        return { fileBytes: pages * PAGE_BYTES, usedBytes: (pages - free) * PAGE_BYTES };
      },
      close() {},
    };
  }
}

const STATEMENTS = new WeakMap<Sqlite.Database, Map<string, Sqlite.Statement>>();

/** Compiling the same statements again and again would be most of the work of a short life. */
function withCachedStatements(sql: Sqlite.Database): Sqlite.Database {
  const known = STATEMENTS.get(sql) ?? new Map<string, Sqlite.Statement>();
  STATEMENTS.set(sql, known);
  const prepare = (source: string) => {
    const found = known.get(source) ?? sql.prepare(source);
    known.set(source, found);
    return found;
  };
  return Object.assign(Object.create(sql), { prepare });
}

function failure(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
