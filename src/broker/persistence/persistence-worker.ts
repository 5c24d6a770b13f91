import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { workerData } from "node:worker_threads";
import { type ErrorCode, isGatewayError } from "../../core/errors.ts";
import { Database } from "../../sqlite/database.ts";
import { asStoreError } from "../../sqlite/errors.ts";
import { openOrQuarantine } from "../../sqlite/files.ts";
import { lockFile } from "../../sqlite/lock.ts";
import { prepared } from "../../sqlite/prepared.ts";
import { serve } from "../../sqlite/serve.ts";
import { readChanges } from "./change-reader.ts";
import { Pending } from "./pending.ts";
import type { PersistenceCalls, Taken, TimeMark, WorkerOptions } from "./persistence-calls.ts";
import { DATABASE_NAME, migrations } from "./schema.ts";
import { readStaging, removeStaging } from "./staging.ts";
import { load, retainedBefore, writePending } from "./tables.ts";

const { directory, stagingPath, windowMs } = workerData as WorkerOptions;
const path = join(directory, DATABASE_NAME);

let lock: Disposable | undefined;
let open: Database | undefined;
let generation = 0;
/** Bytes of changes taken up since the last commit: about what the next one writes at most. */
let takenBytes = 0;
let mark: TimeMark | undefined;
const pending = new Pending(true);

serve<PersistenceCalls>({
  open(wallMs, what) {
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    lock ??= lockFile(join(directory, "broker.lock"));
    const quarantined = openOrQuarantine(path, wallMs, current);
    const { sql } = current();
    generation = Number(meta("generation") ?? 0);
    const instance = meta("instance") ?? randomUUID();
    const before = meta("mark");
    // What was staged came after the mark.
    pending.nowMs = before === undefined ? 0 : (JSON.parse(before) as TimeMark).ownMs;
    recoverStaged(quarantined === undefined ? instance : undefined);
    commit(instance);
    removeStaging(stagingPath);
    const { sessions, ...rest } = load(sql);
    const loaded = what === "all" ? rest : { ...rest, changes: [] };
    for (const id of sessions) pending.sessionIsWritten(id);
    pending.writtenUpTo = loaded.lastId;
    const lastMark = meta("mark");
    return {
      ...loaded,
      instance,
      generation,
      mark: lastMark === undefined ? undefined : JSON.parse(lastMark),
      ...(quarantined !== undefined && { quarantined }),
    };
  },
  take(bytes, batch) {
    pending.nowMs = batch.nowMs;
    if (batch.isRepeated) pending.mayBeWritten = true;
    takenBytes += bytes.length;
    readChanges(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), pending);
    ({ generation } = batch);
    mark = batch.mark ?? mark;
    // The host asks several times a window; what would be too old the next time goes now.
    const isDue = batch.now || pending.oldestMs() + windowMs * 0.7 <= batch.nowMs;
    return isDue ? flush() : taken();
  },
  flush,
  retainedBefore: (beforeMs, limit) => retainedBefore(current().sql, beforeMs, limit, pending),
  close() {
    close();
    lock?.[Symbol.dispose]();
  },
});

function flush(): Taken {
  commit();
  setImmediate(checkpoint);
  return taken();
}

function taken(): Taken {
  const waiting = !pending.isEmpty;
  return { generation: waiting ? 0 : generation, waiting };
}

/** A fresh database in the place of a damaged one takes what was staged for that one. */
function recoverStaged(instance: string | undefined): void {
  const after = generation;
  for (const staged of readStaging(stagingPath)) {
    if (instance !== undefined && (staged.instance !== instance || staged.generation <= after)) continue;
    for (const changes of staged.changes) readChanges(changes, pending);
    generation = Math.max(generation, staged.generation);
  }
}

/** Durable when it returns. What failed stays pending, and a part of it may be on the disk. */
function commit(instance?: string): void {
  try {
    const database = current();
    database.transact(takenBytes, () => {
      writePending(database.sql, pending);
      setMeta("generation", String(generation));
      if (mark) setMeta("mark", JSON.stringify(mark));
      if (instance !== undefined) setMeta("instance", instance);
    });
    database.sync();
  } catch (thrown) {
    pending.mayBeWritten = true;
    const error = asStoreError(thrown);
    // A failed fsync is not repaired by another one (fsync(2), EIO): reopened, the rows are written again.
    if (isGatewayError(error, ...closeAfter)) close();
    throw error;
  }
  pending.clear();
  takenBytes = 0;
  mark = undefined;
}

const closeAfter: readonly ErrorCode[] = ["STORE_IO", "STORE_CORRUPT"];

/** Behind the answer: nobody waits for it. What fails here fails again, and is said, at the next commit. */
function checkpoint(): void {
  try {
    open?.checkpointIfDue();
  } catch (thrown) {
    if (!isGatewayError(asStoreError(thrown))) throw thrown;
    close();
  }
}

function current(): Database {
  open ??= new Database({ path, migrations });
  return open;
}

function meta(key: string): string | undefined {
  const row = current().sql.prepare("SELECT value FROM meta WHERE key = ?").pluck().get(key);
  return row === undefined ? undefined : String(row);
}

function setMeta(key: string, value: string): void {
  prepared(current().sql, "INSERT OR REPLACE INTO meta VALUES (?, ?)").run(key, value);
}

function close(): void {
  try {
    open?.close();
  } finally {
    open = undefined;
  }
}
