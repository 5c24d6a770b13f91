import { join } from "node:path";
import type { Counters } from "../core/gateway.ts";
import type { StoredRecord } from "../core/reading.ts";
import { openReadOnly } from "../sqlite/database.ts";
import { asStoreError } from "../sqlite/errors.ts";
import { INSTANCE, liveOnDisk } from "./recover.ts";
import { DATABASE_NAME } from "./schema.ts";
import { recordsOf } from "./segments.ts";
import type { LedgerEntry } from "./store.ts";
import type { DeadRow } from "./store-calls.ts";
import { load, readSegments } from "./tables.ts";

/**
 * The store as the disk has it, for commands, while a service may be running: what the service has only staged so far is
 * not in it, so its counters are those of the last commit. Blocks; not for the service. Dispose of it soon, a reader
 * keeps the WAL from shrinking.
 */
export interface ReadOnlyStore extends Disposable {
  readonly instance?: string;
  readonly epoch?: number;
  readonly counters: Counters;
  readonly ledger: readonly LedgerEntry[];
  readonly tombstones: ReadonlyMap<string, number>;
  getMeta(key: string): string | undefined;
  /** What waits, in order; damaged segments are left out. */
  pending(): Iterable<StoredRecord>;
  /** What was set aside, oldest first. */
  dead(): DeadRow[];
}

/** So many records at a time. */
const RECORDS_A_READ = 2000;

/** Throws STORE_IO where there is no store, STORE_CORRUPT where it cannot be read. */
export function openReadOnlyStore(path: string): ReadOnlyStore {
  try {
    return view(openReadOnly(join(path, DATABASE_NAME)));
  } catch (error) {
    throw asStoreError(error);
  }
}

function view(sql: ReturnType<typeof openReadOnly>): ReadOnlyStore {
  const loaded = load({ sql });
  const meta = new Map(loaded.meta);
  const live = liveOnDisk(loaded);
  const instance = meta.get(INSTANCE);
  const epoch = loaded.epochs.at(-1)?.epoch;
  return {
    ...(instance !== undefined && { instance }),
    ...(epoch !== undefined && { epoch }),
    counters: { ...loaded.counters, pending: live.total },
    ledger: loaded.ledger,
    tombstones: new Map(loaded.tombstones),
    getMeta: (key) => meta.get(key),
    pending: function* () {
      for (let next = live.first; next !== undefined; ) {
        const segments = readSegments({ sql }, next, RECORDS_A_READ);
        for (const segment of segments) {
          if (segment.corrupt) continue;
          for (const stored of recordsOf(segment, loaded.epochs)) if (live.has(stored.position)) yield stored;
        }
        const last = segments.at(-1);
        next = last && live.next(last.position0 + last.count - 1);
      }
    },
    dead: () =>
      sql
        .prepare<[], DeadRow>(
          `SELECT position, destination, epoch, seq, reason, CAST(payload AS TEXT) AS payload FROM dead
           WHERE destination <> '' ORDER BY position`,
        )
        .all(),
    [Symbol.dispose]: () => sql.close(),
  };
}
