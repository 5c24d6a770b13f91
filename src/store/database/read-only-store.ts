import type { Counters } from "../../core/gateway.ts";
import type { StoredRecord } from "../../core/reading.ts";
import type { BootAnchors } from "../../core/timeline.ts";
import { startWorker, type WorkerHost, workerFile } from "../../sqlite/worker-host.ts";
import { brokerOnDisk } from "../journal/recover.ts";
import { INSTANCE } from "../keys.ts";
import { recordsOf } from "../segments.ts";
import type { LedgerEntry } from "../store.ts";
import type { ReadOnlyCalls } from "./read-only-calls.ts";
import type { DeadRow, Loaded } from "./store-calls.ts";

/**
 * The store as the disk has it, for commands, while a service may be running: what the service has only staged so far is
 * not in it, so its counters are those of the last commit.
 */
export interface ReadOnlyStore extends AsyncDisposable {
  readonly instance?: string;
  readonly epoch?: number;
  readonly counters: Counters;
  readonly ledger: readonly LedgerEntry[];
  readonly tombstones: ReadonlyMap<string, number>;
  readonly boots: readonly BootAnchors[];
  getMeta(key: string): string | undefined;
  /** What waits, in order; damaged segments are left out. */
  pending(): AsyncIterable<StoredRecord>;
  /** What was set aside, oldest first. */
  dead(): Promise<DeadRow[]>;
}

/** So many records at a time. */
const RECORDS_A_READ = 2000;

/** Throws STORE_IO where there is no store, STORE_CORRUPT where it cannot be read. */
export async function openReadOnlyStore(path: string): Promise<ReadOnlyStore> {
  const file = workerFile(import.meta.url, "read-only-worker");
  const host = startWorker<ReadOnlyCalls>(file, { directory: path });
  try {
    return view(host, await host.call("open"));
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

function view(host: WorkerHost<ReadOnlyCalls>, loaded: Loaded): ReadOnlyStore {
  const meta = new Map(loaded.meta);
  const instance = meta.get(INSTANCE);
  const epoch = loaded.epochs.at(-1)?.epoch;
  return {
    ...(instance !== undefined && { instance }),
    ...(epoch !== undefined && { epoch }),
    counters: brokerOnDisk(loaded).counters,
    ledger: loaded.ledger,
    tombstones: new Map(loaded.tombstones),
    boots: loaded.boots,
    getMeta: (key) => meta.get(key),
    pending: () => pendingRecords(host, loaded),
    dead: () => host.call("dead"),
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

async function* pendingRecords(host: WorkerHost<ReadOnlyCalls>, loaded: Loaded): AsyncGenerator<StoredRecord> {
  const { live } = brokerOnDisk(loaded);
  for (let next = live.first; next !== undefined; ) {
    const segments = await host.call("read", next, RECORDS_A_READ);
    for (const segment of segments) {
      if (segment.corrupt) continue;
      for (const stored of recordsOf(segment, loaded.epochs)) if (live.has(stored.position)) yield stored;
    }
    const last = segments.at(-1);
    next = last && live.next(last.position0 + last.count - 1);
  }
}
