import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { Database } from "../sqlite/database.ts";
import { openOrQuarantine, quarantine } from "../sqlite/files.ts";
import { lockFile } from "../sqlite/lock.ts";
import { serve } from "../sqlite/serve.ts";
import { storeCalls } from "./database-calls.ts";
import { DATABASE_NAME, migrations } from "./schema.ts";
import type { StoreCalls } from "./store-calls.ts";

const { directory } = workerData as { readonly directory: string };
const path = join(directory, DATABASE_NAME);

serve<StoreCalls>(
  storeCalls({
    directory,
    lock() {
      mkdirSync(directory, { recursive: true });
      return lockFile(join(directory, "store.lock"));
    },
    open: () => new Database({ path, migrations }),
    openOrQuarantine: (wallMs, open) => openOrQuarantine(path, wallMs, open),
    quarantine: (wallMs) => quarantine(path, wallMs),
  }),
);
