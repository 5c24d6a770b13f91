import { chownSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { Database } from "../../sqlite/database.ts";
import { setAside, syncDirectoryOf } from "../../sqlite/files.ts";
import { lockFile } from "../../sqlite/lock.ts";
import { serve } from "../../sqlite/serve.ts";
import { CLEAN_STOP } from "../keys.ts";
import type { InstallCalls } from "./install-calls.ts";
import { DATABASE_NAME, migrations } from "./schema.ts";

const { directory } = workerData as { readonly directory: string };
const path = join(directory, DATABASE_NAME);
const restored = `${path}.restored`;

serve<InstallCalls>({
  install(from, wallMs) {
    mkdirSync(directory, { recursive: true });
    using _lock = lockFile(join(directory, "store.lock"));
    copyFileSync(from, restored);
    try {
      check(restored);
    } catch (error) {
      rmSync(restored, { force: true });
      throw error;
    }
    // A file of root's would lock the service out.
    const { uid, gid } = statSync(directory);
    for (const file of [restored, join(directory, "store.lock")]) chownSync(file, uid, gid);
    const aside = existsSync(path) ? setAside(path, "before-restore", wallMs) : undefined;
    renameSync(restored, path);
    syncDirectoryOf(path);
    return aside;
  },
  close: () => undefined,
});

/** Whole, and of this version; numbers given out since the backup must not come again, so no epoch goes on. */
function check(file: string): void {
  const database = new Database({ path: file, migrations });
  try {
    database.transact(0, () => database.sql.prepare("DELETE FROM meta WHERE key = ?").run(CLEAN_STOP));
  } finally {
    database.close();
  }
}
