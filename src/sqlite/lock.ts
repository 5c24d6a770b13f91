import Sqlite from "better-sqlite3";
import { errnoName, GatewayError } from "../core/errors.ts";

/**
 * Holds `path` for this process alone: an empty database with an exclusive transaction open, that is a POSIX lock, which
 * the kernel takes back however the process ends. (An abstract socket would not be seen from another container.)
 * Throws STORE_LOCKED.
 */
export function lockFile(path: string): Disposable {
  const sql = new Sqlite(path, { timeout: 0 });
  try {
    sql.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    sql.close();
    if (!errnoName(error)?.startsWith("SQLITE_BUSY")) throw error;
    throw new GatewayError("STORE_LOCKED", `another process holds ${path}`, { cause: error });
  }
  return { [Symbol.dispose]: () => sql.close() };
}
