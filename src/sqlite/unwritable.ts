import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type Sqlite from "better-sqlite3";
import { openReadOnly } from "./database.ts";

/** More would be too much of a small machine's memory. */
const MAX_COPY_BYTES = 128 * 1024 * 1024;

/**
 * A database on a file system that takes no writes. SQLite needs a file beside it even to read a WAL
 * (sqlite.org/wal.html, Read-Only Databases), so where that is not there, a copy in `scratch`, on tmpfs, is read.
 */
export function openUnwritable(path: string, scratch: string | undefined): { readonly sql: Sqlite.Database } {
  try {
    const sql = openReadOnly(path);
    sql.pragma("user_version");
    return { sql };
  } catch (error) {
    if (scratch === undefined || statSync(path).size > MAX_COPY_BYTES) throw error;
    return { sql: openReadOnly(copied(path, scratch)) };
  }
}

function copied(path: string, scratch: string): string {
  const directory = join(scratch, "unwritable");
  mkdirSync(directory, { recursive: true });
  const copy = join(directory, "copy.db");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
  for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  return copy;
}
