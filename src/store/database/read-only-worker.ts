import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { openReadOnly } from "../../sqlite/database.ts";
import { serve } from "../../sqlite/serve.ts";
import { load } from "./load-tables.ts";
import type { ReadOnlyCalls } from "./read-only-calls.ts";
import { DATABASE_NAME } from "./schema.ts";
import { readSegments } from "./segment-table.ts";
import type { DeadRow } from "./store-calls.ts";

const { directory } = workerData as { readonly directory: string };
let sql: ReturnType<typeof openReadOnly> | undefined;

serve<ReadOnlyCalls>({
  open: () => load({ sql: current() }),
  read: (position, records) => readSegments({ sql: current() }, position, records),
  // Without a destination: segments that could not be read, kept for salvage and not for reading.
  dead: () =>
    current()
      .prepare<[], DeadRow>(
        `SELECT position, destination, epoch, seq, reason, CAST(payload AS TEXT) AS payload FROM dead
         WHERE destination <> '' ORDER BY position`,
      )
      .all(),
  copyTo: (file) => void current().prepare("VACUUM INTO ?").run(file),
  close: () => {
    sql?.close();
  },
});

function current(): ReturnType<typeof openReadOnly> {
  sql ??= openReadOnly(join(directory, DATABASE_NAME));
  return sql;
}
