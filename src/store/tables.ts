import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import type { BootAnchors } from "../core/timeline.ts";
import type { Database } from "../sqlite/database.ts";
import type { Range } from "./live-ranges.ts";
import { DESTINATION } from "./outbox-state.ts";
import type { EpochRow, SegmentText } from "./segments.ts";
import type { Batch, DeadRow, Loaded, ReadSegment, Usage } from "./store-calls.ts";

/** How many records that were set aside are kept for the operator; the oldest go first. */
const MAX_DEAD = 1000;
/** A damaged length must not inflate into all of the memory. */
const MAX_SEGMENT_TEXT_BYTES = 64 * 1024 * 1024;
/** One epoch and one boot a power cut would add up: those without records go, except for the last ones. */
const FORGET_OLD_EPOCHS = `
  DELETE FROM epoch
    WHERE base < (SELECT max(base) FROM epoch WHERE base < coalesce((SELECT min(position0) FROM segment), 1 << 53))
    AND epoch NOT IN (SELECT epoch FROM epoch ORDER BY epoch DESC LIMIT 64);
  DELETE FROM boot
    WHERE id NOT IN (SELECT boot FROM epoch) AND id NOT IN (SELECT boot FROM segment)
    AND id NOT IN (SELECT id FROM boot ORDER BY id DESC LIMIT 64);`;
const DROPPED = "dropped:";

interface SegmentRow {
  readonly position0: number;
  readonly count: number;
  readonly uuid: string;
  readonly mono0: number;
  readonly mono1: number;
  readonly crc: number;
  readonly data: Buffer;
}

/** Reads everything but the records. */
export function load({ sql }: Pick<Database, "sql">): Loaded {
  const all = <T>(query: string) => sql.prepare<[], T>(query).all();
  const pairs = <K, V>(query: string) => sql.prepare<[], [K, V]>(query).raw().all() as [K, V][];
  const counter = new Map(pairs<string, number>("SELECT name, value FROM counter"));
  const cursor = sql.prepare("SELECT position FROM cursor WHERE destination = ?").pluck().get(DESTINATION);
  return {
    epochs: all("SELECT epoch, base, uuid AS boot FROM epoch JOIN boot ON boot.id = epoch.boot ORDER BY base, epoch"),
    head: counter.get("head") ?? 0,
    cursor: Number(cursor ?? 0),
    counters: countersOf(counter),
    ranges: joined(sql.prepare<[], [number, number]>("SELECT position0, count FROM segment ORDER BY position0").raw()),
    dead: sql.prepare("SELECT position FROM dead WHERE destination = ?").pluck().all(DESTINATION).map(Number),
    boots: all<BootRow>("SELECT uuid, anchors, seen FROM boot ORDER BY id").map(bootOf),
    meta: pairs("SELECT key, value FROM meta"),
    newest: pairs("SELECT device, channels FROM newest"),
    tombstones: pairs("SELECT device, wall_ms FROM tombstone"),
    ledger: pairs<string, string | null>("SELECT topic, device FROM ledger WHERE broker = '' AND present").map(
      ([topic, device]) => (device === null ? { topic } : { topic, device }),
    ),
  };
}

interface BootRow {
  readonly uuid: string;
  readonly anchors: string;
  readonly seen: string | null;
}

function bootOf({ uuid, anchors, seen }: BootRow): BootAnchors {
  return { boot: uuid, anchors: JSON.parse(anchors), ...(seen !== null && { seen: JSON.parse(seen) }) };
}

function countersOf(counter: ReadonlyMap<string, number>): Loaded["counters"] {
  const value = (name: string) => counter.get(name) ?? 0;
  const dropped = [...counter].flatMap(([name, count]) =>
    name.startsWith(DROPPED) ? [[name.slice(DROPPED.length), count] as const] : [],
  );
  return {
    sampled: value("sampled"),
    delivered: value("delivered"),
    unheard: value("unheard"),
    dropped: Object.fromEntries(dropped),
  };
}

function joined(segments: { iterate(): Iterable<unknown> }): Range[] {
  const ranges: Range[] = [];
  for (const [from, count] of segments.iterate() as Iterable<[number, number]>) {
    const last = ranges.at(-1);
    if (last && last.to + 1 === from) ranges[ranges.length - 1] = { from: last.from, to: from + count - 1 };
    else ranges.push({ from, to: from + count - 1 });
  }
  return ranges;
}

/** Writes a batch within the caller's transaction. */
export function write(database: Database, batch: Batch): void {
  writeBoots(database, batch.boots ?? []);
  writeEpochs(database, batch.epochs ?? []);
  if (batch.outbox) writeOutbox(database, batch.outbox);
  setAside(database, batch.dead ?? []);
  for (const { from, to } of batch.unreadable ?? []) keepUnreadable(database, from, to);
  if (batch.dead?.length || batch.unreadable?.length) limitDead(database);
  writePairs(database, "meta", "key", "value", batch.meta ?? []);
  writePairs(database, "newest", "device", "channels", batch.newest ?? []);
  writePairs(database, "tombstone", "device", "wall_ms", batch.tombstones ?? []);
  const topic = database.sql.prepare("INSERT OR REPLACE INTO ledger VALUES ('', ?, ?, ?)");
  for (const row of batch.ledger ?? []) topic.run(row.topic, row.device ?? null, row.present ? 1 : 0);
}

function writeBoots({ sql }: Database, boots: readonly BootAnchors[]): void {
  const put = sql.prepare(
    `INSERT INTO boot(uuid, anchors, seen) VALUES (?, ?, ?)
     ON CONFLICT(uuid) DO UPDATE SET anchors = excluded.anchors, seen = excluded.seen`,
  );
  for (const { boot, anchors, seen } of boots)
    put.run(boot, JSON.stringify(anchors), seen ? JSON.stringify(seen) : null);
}

function writeEpochs({ sql }: Database, epochs: readonly EpochRow[]): void {
  const epoch = sql.prepare("INSERT OR REPLACE INTO epoch SELECT ?, ?, id FROM boot WHERE uuid = ?");
  for (const row of epochs) epoch.run(row.epoch, row.base, row.boot);
  if (epochs.length > 0) sql.exec(FORGET_OLD_EPOCHS);
}

function writeOutbox({ sql }: Database, outbox: NonNullable<Batch["outbox"]>): void {
  const boot = sql.prepare("INSERT OR IGNORE INTO boot(uuid, anchors) VALUES (?, '[]')");
  const segment = sql.prepare("INSERT OR REPLACE INTO segment SELECT ?, ?, ?, id, ?, ?, ?, ? FROM boot WHERE uuid = ?");
  for (const { position0, count, boot: uuid, mono0, mono1, text } of outbox.segments) {
    const data = deflateRawSync(text);
    boot.run(uuid);
    segment.run(position0, count, data.length, mono0, mono1, crc32(data), data, uuid);
  }
  sql.prepare(upsert("cursor", "destination", "position")).run(DESTINATION, outbox.cursor);
  const { dropped, ...counters } = outbox.counters;
  const named = { head: outbox.head, ...counters };
  const counter = sql.prepare(upsert("counter", "name", "value"));
  for (const [name, value] of Object.entries(named)) counter.run(name, value);
  for (const [reason, value] of Object.entries(dropped)) counter.run(DROPPED + reason, value);
}

/** Leaves a row alone that says so already: each page that is touched is 4 KiB on the card. */
function upsert(table: string, key: string, value: string): string {
  return `INSERT INTO ${table}(${key}, ${value}) VALUES (?, ?)
    ON CONFLICT(${key}) DO UPDATE SET ${value} = excluded.${value} WHERE ${value} IS NOT excluded.${value}`;
}

function setAside({ sql }: Database, rows: readonly DeadRow[]): void {
  const insert = sql.prepare("INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?, ?)");
  for (const row of rows) insert.run(row.position, row.destination, row.epoch, row.seq, row.reason, row.payload);
}

function limitDead({ sql }: Database): void {
  sql
    .prepare(
      `DELETE FROM dead WHERE position <= (SELECT position FROM dead ORDER BY position DESC LIMIT 1 OFFSET ${MAX_DEAD})`,
    )
    .run();
}

/** Out of the way of delivery, and still there for someone with better tools. */
function keepUnreadable({ sql }: Database, from: number, to: number): void {
  const where = "WHERE position0 >= ? AND position0 + count - 1 <= ?";
  sql
    .prepare(`INSERT OR REPLACE INTO dead SELECT position0, '', 0, 0, 'corrupt', data FROM segment ${where}`)
    .run(from, to);
  sql.prepare(`DELETE FROM segment ${where}`).run(from, to);
}

function writePairs(
  { sql }: Database,
  table: string,
  key: string,
  value: string,
  rows: ReadonlyArray<readonly [string, string | number | undefined]>,
): void {
  const put = sql.prepare(upsert(table, key, value));
  const remove = sql.prepare(`DELETE FROM ${table} WHERE ${key} = ?`);
  for (const [name, content] of rows) {
    if (content === undefined) remove.run(name);
    else put.run(name, content);
  }
}

export function readSegments({ sql }: Pick<Database, "sql">, position: number, records: number): ReadSegment[] {
  const start = sql.prepare("SELECT max(position0) FROM segment WHERE position0 <= ?").pluck().get(position);
  const rows = sql
    .prepare<[number, number], SegmentRow>(
      `SELECT position0, count, uuid, mono0, mono1, crc, data FROM segment JOIN boot ON boot.id = segment.boot
       WHERE position0 >= ? AND position0 + count > ? ORDER BY position0`,
    )
    .iterate(Number(start ?? 0), position);
  const segments: ReadSegment[] = [];
  let found = 0;
  for (const row of rows) {
    segments.push(decode(row));
    found += row.count;
    if (found >= records) break;
  }
  return segments;
}

function decode({ data, crc, uuid, ...rest }: SegmentRow): ReadSegment {
  const corrupt = { position0: rest.position0, count: rest.count, corrupt: true } as const;
  if (crc32(data) !== crc) return corrupt;
  const text: SegmentText = {
    ...rest,
    boot: uuid,
    text: inflateRawSync(data, { maxOutputLength: MAX_SEGMENT_TEXT_BYTES }).toString("utf8"),
  };
  return text;
}

/** End of the oldest whole segments that make up `bytes`. */
export function endOfOldest({ sql }: Database, bytes: number): number {
  const rows = sql.prepare("SELECT position0 + count - 1, bytes FROM segment ORDER BY position0").raw().iterate();
  let end = 0;
  let sum = 0;
  for (const [last, size] of rows as Iterable<[number, number]>) {
    if (sum >= bytes) break;
    end = last;
    sum += size;
  }
  return end;
}

/** End of the leading run of segments that were sampled in `boot` before `monoMs`, or in one of `boots`. */
export function endOfAged({ sql }: Database, boot: string, monoMs: number, boots: readonly string[]): number {
  const gone = new Set(boots);
  const rows = sql
    .prepare(
      "SELECT position0 + count - 1, uuid, mono1 FROM segment JOIN boot ON boot.id = segment.boot ORDER BY position0",
    )
    .raw()
    .iterate();
  let end = 0;
  for (const [last, uuid, mono1] of rows as Iterable<[number, string, number]>) {
    if (!gone.has(uuid) && !(uuid === boot && mono1 < monoMs)) break;
    end = last;
  }
  return end;
}

/** Deletes up to `limit` segments that end at `position` or before; returns how many. */
export function deleteSegments({ sql }: Database, position: number, limit: number): number {
  return sql
    .prepare(
      `DELETE FROM segment WHERE position0 IN
         (SELECT position0 FROM segment WHERE position0 + count - 1 <= ? ORDER BY position0 LIMIT ?)`,
    )
    .run(position, limit).changes;
}

/** `cursor`: what is up to there is delivered, and its segments only wait to be deleted. */
export function usage(database: Database, cursor: number): Usage {
  const oldest = database.sql
    .prepare<[number, number], { boot: string; mono0: number }>(
      `SELECT uuid AS boot, mono0 FROM segment JOIN boot ON boot.id = segment.boot
       WHERE position0 >= coalesce((SELECT max(position0) FROM segment WHERE position0 <= ?), 0)
       AND position0 + count - 1 > ? ORDER BY position0 LIMIT 1`,
    )
    .get(cursor + 1, cursor);
  return { bytes: database.usedBytes(), ...(oldest && { oldest }) };
}
