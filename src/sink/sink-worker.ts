import { workerData } from "node:worker_threads";
import { Database } from "../sqlite/database.ts";
import { asStoreError } from "../sqlite/errors.ts";
import { lockFile } from "../sqlite/lock.ts";
import { serve } from "../sqlite/serve.ts";
import type { SinkCalls } from "./sink-calls.ts";
import { sinkMigrations } from "./sink-schema.ts";
import { allProgress, totals, writeBatch } from "./sink-tables.ts";

const { path } = workerData as { readonly path: string };
let lock: Disposable | undefined;
let database: Database | undefined;

serve<SinkCalls>({
  open: () =>
    guarded(() => {
      lock ??= lockFile(`${path}.lock`);
      database ??= new Database({ path, migrations: sinkMigrations });
      const opened = database;
      return opened.transact(0, () => allProgress(opened));
    }),
  write: (batch) =>
    guarded(() => {
      const open = current();
      const bytes = batch.readings.reduce((sum, { values }) => sum + values.length + 100, 0);
      const result = open.transact(bytes, () => writeBatch(open, batch));
      // A receipt lets the gateway forget, so it must outlast a power cut.
      open.sync();
      open.checkpointIfDue();
      return result;
    }),
  totals: () => guarded(() => totals(current())),
  close() {
    database?.close();
    lock?.[Symbol.dispose]();
  },
});

function current(): Database {
  if (!database) throw new Error("the sink's database is not open");
  return database;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStoreError(error);
  }
}
