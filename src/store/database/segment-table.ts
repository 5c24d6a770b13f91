import { crc32, inflateRawSync } from "node:zlib";
import type { Database } from "../../sqlite/database.ts";
import type { Free } from "../../sqlite/reserve.ts";
import type { SegmentText } from "../segments.ts";
import type { ReadSegment, Stretch, Usage } from "./store-calls.ts";

/** A damaged length must not inflate into all of the memory. */
export const MAX_SEGMENT_TEXT_BYTES = 64 * 1024 * 1024;

interface SegmentRow {
  readonly position0: number;
  readonly count: number;
  readonly uuid: string;
  readonly mono0: number;
  readonly mono1: number;
  readonly crc: number;
  readonly data: Buffer;
}

export function readSegments({ sql }: Pick<Database, "sql">, position: number, records: number): ReadSegment[] {
  const start = sql.prepare("SELECT max(position0) FROM segment WHERE position0 <= ?").pluck().get(position);
  const rows = sql
    .prepare<[number, number], SegmentRow>(
      `SELECT position0, count, coalesce(uuid, '') AS uuid, mono0, mono1, crc, data
       FROM segment LEFT JOIN boot ON boot.id = segment.boot WHERE position0 >= ? AND position0 + count > ? ORDER BY position0`,
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

interface StretchRow {
  readonly last: number;
  readonly bytes: number;
  readonly uuid: string;
  readonly mono0: number;
  readonly mono1: number;
}

/** The oldest whole segments that make up `bytes`. */
export function oldestStretch(database: Database, bytes: number): Stretch | undefined {
  let sum = 0;
  return stretchWhile(database, (row) => {
    const isWanted = sum < bytes;
    sum += row.bytes;
    return isWanted;
  });
}

/** The leading run of segments that were sampled in `boot` before `monoMs`, or in one of `boots`. */
export function agedStretch(
  database: Database,
  boot: string,
  monoMs: number,
  boots: readonly string[],
): Stretch | undefined {
  const gone = new Set(boots);
  return stretchWhile(database, ({ uuid, mono1 }) => gone.has(uuid) || (uuid === boot && mono1 < monoMs));
}

function stretchWhile({ sql }: Database, belongs: (row: StretchRow) => boolean): Stretch | undefined {
  const rows = sql
    .prepare<[], StretchRow>(
      `SELECT position0 + count - 1 AS last, bytes, uuid, mono0, mono1
       FROM segment JOIN boot ON boot.id = segment.boot ORDER BY position0`,
    )
    .iterate();
  let stretch: Stretch | undefined;
  for (const row of rows) {
    if (!belongs(row)) break;
    const since = stretch?.since ?? { boot: row.uuid, monoMs: row.mono0 };
    stretch = { end: row.last, since, until: { boot: row.uuid, monoMs: row.mono1 } };
  }
  return stretch;
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

/** What the file system says is no matter of the database. `settled`: nobody waits for what is up to there, and its segments only wait to be deleted. */
export function usage(database: Database, settled: number): Omit<Usage, keyof Free> {
  const oldest = database.sql
    .prepare<[number, number], { boot: string; mono0: number }>(
      `SELECT uuid AS boot, mono0 FROM segment JOIN boot ON boot.id = segment.boot
       WHERE position0 >= coalesce((SELECT max(position0) FROM segment WHERE position0 <= ?), 0)
       AND position0 + count - 1 > ? ORDER BY position0 LIMIT 1`,
    )
    .get(settled + 1, settled);
  const { usedBytes, fileBytes } = database.size();
  return { bytes: usedBytes, fileBytes, ...(oldest && { oldest }) };
}
