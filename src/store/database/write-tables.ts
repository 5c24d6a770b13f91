import { isDeepStrictEqual } from "node:util";
import { crc32, deflateRawSync } from "node:zlib";
import type { BootAnchors } from "../../core/timeline.ts";
import type { Database } from "../../sqlite/database.ts";
import type { EpochRow } from "../segments.ts";
import { beyondCounters, countersOf, DROPPED, readCounters } from "./load-tables.ts";
import type { Batch, DeadRow } from "./store-calls.ts";

/** How many records that were set aside are kept for the operator; the oldest go first. */
const MAX_DEAD = 1000;
/** One epoch and one boot a power cut would add up: those without records go, except for the last ones. */
const FORGET_OLD_EPOCHS = `
  DELETE FROM epoch
    WHERE base < (SELECT max(base) FROM epoch WHERE base < coalesce((SELECT min(position0) FROM segment), 1 << 53))
    AND epoch NOT IN (SELECT epoch FROM epoch ORDER BY epoch DESC LIMIT 64);
  DELETE FROM boot
    WHERE id NOT IN (SELECT boot FROM epoch) AND id NOT IN (SELECT boot FROM segment)
    AND id NOT IN (SELECT id FROM boot ORDER BY id DESC LIMIT 64);`;

/** Writes a batch within the caller's transaction. */
export function write(database: Database, batch: Batch): void {
  writeBoots(database, batch.boots ?? []);
  writeEpochs(database, batch.epochs ?? []);
  if (batch.outbox) writeOutbox(database, batch.outbox, { maySkipCounters: (batch.meta ?? []).length === 0 });
  writeGaps(database, batch.gaps ?? []);
  setAside(database, batch.dead ?? []);
  for (const { from, to } of batch.unreadable ?? []) keepUnreadable(database, from, to);
  if (batch.dead?.length || batch.unreadable?.length) limitDead(database);
  writePairs(database, "meta", "key", "value", batch.meta ?? []);
  writePairs(database, "newest", "device", "channels", batch.newest ?? []);
  writePairs(database, "tombstone", "device", "wall_ms", batch.tombstones ?? []);
  const topic = database.sql.prepare("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?)");
  for (const row of batch.ledger ?? []) topic.run(row.broker, row.topic, row.device ?? null, row.present ? 1 : 0);
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

type Outbox = NonNullable<Batch["outbox"]>;

function writeOutbox({ sql }: Database, outbox: Outbox, { maySkipCounters }: { maySkipCounters: boolean }): void {
  const [first] = outbox.segments;
  if (first) replaceFrom(sql, first.position0);
  const boot = sql.prepare("INSERT OR IGNORE INTO boot(uuid, anchors) VALUES (?, '[]')");
  const segment = sql.prepare("INSERT OR REPLACE INTO segment SELECT ?, ?, ?, id, ?, ?, ?, ? FROM boot WHERE uuid = ?");
  for (const { position0, count, boot: uuid, mono0, mono1, text } of outbox.segments) {
    const data = deflateRawSync(text);
    boot.run(uuid);
    segment.run(position0, count, data.length, mono0, mono1, crc32(data), data, uuid);
  }
  if (maySkipCounters && isImplied(sql, outbox)) return;
  const cursor = sql.prepare(upsert("cursor", "destination", "position"));
  const counter = sql.prepare(upsert("counter", "name", "value"));
  counter.run("head", outbox.head);
  for (const { name: destination, cursor: position, counters } of outbox.destinations) {
    const { dropped, ...others } = counters;
    cursor.run(destination, position);
    for (const [name, value] of Object.entries(others)) counter.run(`${destination} ${name}`, value);
    for (const [reason, value] of Object.entries(dropped)) counter.run(`${destination} ${DROPPED}${reason}`, value);
  }
  forgetOthers(sql, new Set(outbox.destinations.map(({ name }) => name)));
}

/** Segments beyond the counters on the disk, at most: five minutes of them, and what damage to them leaves uncounted. */
const MOST_UNCOUNTED = 60;

/**
 * Would a load make the same of the counters on the disk and the segments beyond them? While the broker is away nothing else
 * changes, and their page in each commit would be nearly half of what is written.
 */
function isImplied(sql: Database["sql"], { head, destinations }: Outbox): boolean {
  const onDisk = readCounters(sql);
  const beyond = beyondCounters(sql, onDisk);
  if (beyond.segments > MOST_UNCOUNTED || (onDisk.get("head") ?? 0) + beyond.records !== head) return false;
  const cursors = new Map(sql.prepare<[], [string, number]>("SELECT destination, position FROM cursor").raw().all());
  return (
    cursors.size === destinations.length &&
    destinations.every(
      ({ name, cursor, counters }) =>
        cursors.get(name) === cursor && isDeepStrictEqual(countersOf(onDisk, name, beyond.records), counters),
    )
  );
}

/**
 * Whatever is there from this position on is of a commit whose sync failed: what of it still waits is written again, cut into
 * other segments, for some of it was delivered or dropped meanwhile.
 */
function replaceFrom(sql: Database["sql"], position: number): void {
  const last = sql.prepare("SELECT max(position0) FROM segment WHERE position0 < ?").pluck().get(position);
  sql.prepare("DELETE FROM segment WHERE position0 >= ? AND position0 + count > ?").run(Number(last ?? 0), position);
}

function forgetOthers(sql: Database["sql"], destinations: ReadonlySet<string>): void {
  for (const name of sql.prepare<[], string>("SELECT destination FROM cursor").pluck().all()) {
    if (destinations.has(name)) continue;
    sql.prepare("DELETE FROM cursor WHERE destination = ?").run(name);
    sql.prepare("DELETE FROM counter WHERE name LIKE ? || ' %'").run(name);
    sql.prepare("DELETE FROM dead WHERE destination = ?").run(name);
  }
}

function writeGaps({ sql }: Database, gaps: NonNullable<Batch["gaps"]>): void {
  const put = sql.prepare("INSERT OR REPLACE INTO gap VALUES (?, ?)");
  const remove = sql.prepare("DELETE FROM gap WHERE id = ?");
  for (const [id, gap] of gaps) {
    if (gap) put.run(id, JSON.stringify(gap));
    else remove.run(id);
  }
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
