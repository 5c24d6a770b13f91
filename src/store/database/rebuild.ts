import { crc32, inflateRawSync } from "node:zlib";
import { errnoName, isGatewayError } from "../../core/errors.ts";
import type { Database } from "../../sqlite/database.ts";
import { asStoreError } from "../../sqlite/errors.ts";
import { type ScannedRow, scanRows } from "../../sqlite/scan-rows.ts";
import { DESTINATION } from "../destination.ts";
import { CLEAN_STOP } from "../keys.ts";
import type { SegmentBody } from "../segments.ts";
import { MAX_SEGMENT_TEXT_BYTES } from "./segment-table.ts";

/** In an order in which what refers comes after what is referred to. */
const SMALL_TABLES: ReadonlyArray<readonly [table: string, columns: number]> = [
  ["boot", 4],
  ["epoch", 3],
  ["meta", 2],
  ["cursor", 2],
  ["counter", 2],
  ["dead", 6],
  ["newest", 2],
  ["tombstone", 2],
  ["ledger", 4],
  ["gap", 2],
];
const SEGMENT_COLUMNS = 8;
/** Rows of one transaction: what a full disk refuses is this much at most. */
const BATCH = 200;

interface Found {
  readonly body: SegmentBody;
  readonly data: Buffer;
  readonly crc: number;
}

/**
 * Fills a fresh database with what can be made out in a damaged one: the small tables, as far as SQLite reads them
 * (`damaged`; undefined where it does not open the file at all), and every segment whose checksum is right, wherever in
 * the file it is. Segments up to `settled` are nobody's concern any more. Returns how many records were salvaged.
 */
export function rebuild(
  fresh: Database,
  path: string,
  damaged: Pick<Database, "sql"> | undefined,
  settled: number,
): number {
  if (damaged) copySmallTables(fresh, damaged);
  fresh.sql.prepare("DELETE FROM meta WHERE key = ?").run(CLEAN_STOP);
  let past = Math.max(settled, deliveredEverywhere(fresh));
  let batch: Found[] = [];
  const flush = () => {
    insert(fresh, batch);
    batch = [];
  };
  try {
    for (const row of scanRows(path, SEGMENT_COLUMNS)) {
      const found = foundIn(row);
      if (!found) continue;
      past = Math.max(past, found.body.settled);
      if (lastOf(found.body) <= past) continue;
      batch.push(found);
      if (batch.length >= BATCH) flush();
    }
    flush();
  } catch (error) {
    // What there is no room for stays in the damaged file.
    if (!isGatewayError(asStoreError(error), "STORE_FULL")) throw error;
  }
  fresh.transact(0, () => {
    fresh.sql.prepare("DELETE FROM segment WHERE position0 + count - 1 <= ?").run(past);
    fresh.sql.prepare("UPDATE cursor SET position = ? WHERE position < ?").run(past, past);
    fresh.sql.prepare(`INSERT OR IGNORE INTO cursor VALUES ('${DESTINATION}', ?)`).run(past);
  });
  return Number(fresh.sql.prepare("SELECT coalesce(sum(count), 0) FROM segment").pluck().get());
}

const lastOf = ({ position, rows }: SegmentBody): number => position + rows.length - 1;

function copySmallTables(fresh: Database, { sql: damaged }: Pick<Database, "sql">): void {
  if (versionOf(damaged) !== versionOf(fresh.sql)) return;
  for (const [table, columns] of SMALL_TABLES) {
    const put = fresh.sql.prepare(`INSERT OR IGNORE INTO ${table} VALUES (${Array(columns).fill("?").join(", ")})`);
    fresh.transact(0, () => {
      for (const row of readable(damaged, table)) put.run(...row);
    });
  }
}

/** Undefined where SQLite does not take the file for a database. */
function versionOf(sql: Database["sql"]): number | undefined {
  try {
    return Number(sql.pragma("user_version", { simple: true }));
  } catch (error) {
    if (isGatewayError(asStoreError(error))) return undefined;
    throw error;
  }
}

/** The rows up to the first that SQLite cannot read. */
function* readable(damaged: Database["sql"], table: string): Generator<unknown[]> {
  try {
    for (const row of damaged.prepare(`SELECT * FROM ${table}`).raw().iterate()) yield row as unknown[];
  } catch (error) {
    // A damaged schema may not know the table, or another one by its name.
    if (!isGatewayError(asStoreError(error)) && errnoName(error) !== "SQLITE_ERROR") throw error;
  }
}

function deliveredEverywhere({ sql }: Database): number {
  return Number(sql.prepare("SELECT coalesce(min(position), 0) FROM cursor").pluck().get());
}

/** The segment that a row is, if it is one and whole. */
function foundIn({ rowid, values }: ScannedRow): Found | undefined {
  const [data, crc] = [values[7], values[6]];
  if (!Buffer.isBuffer(data) || typeof crc !== "number" || crc32(data) !== crc) return undefined;
  try {
    const body = JSON.parse(inflateRawSync(data, { maxOutputLength: MAX_SEGMENT_TEXT_BYTES }).toString("utf8"));
    return body.position === rowid && Array.isArray(body.rows) ? { body, data, crc } : undefined;
  } catch {
    // Another table's row of as many columns, whose checksum happens to be right.
    return undefined;
  }
}

/** What overlaps with what is there already is an outdated version of it. */
function insert(fresh: Database, batch: readonly Found[]): void {
  const endBefore = fresh.sql
    .prepare<[number], number>(
      "SELECT position0 + count FROM segment WHERE position0 <= ? ORDER BY position0 DESC LIMIT 1",
    )
    .pluck();
  const boot = fresh.sql.prepare("INSERT OR IGNORE INTO boot(uuid, anchors) VALUES (?, '[]')");
  const epoch = fresh.sql.prepare("INSERT OR IGNORE INTO epoch SELECT ?, ?, id FROM boot WHERE uuid = ?");
  const segment = fresh.sql.prepare("INSERT INTO segment SELECT ?, ?, ?, id, ?, ?, ?, ? FROM boot WHERE uuid = ?");
  const bytes = batch.reduce((sum, { data }) => sum + data.length, 0);
  fresh.transact(bytes, () => {
    for (const { body, data, crc } of batch) {
      const { position, seq, rows, mono } = body;
      if ((endBefore.get(lastOf(body)) ?? 0) > position) continue;
      const mono1 = rows.reduce((sum, { at }) => sum + at, mono);
      boot.run(body.boot);
      epoch.run(body.epoch, position - seq, body.boot);
      segment.run(position, rows.length, data.length, mono, mono1, crc, data, body.boot);
    }
  });
}
