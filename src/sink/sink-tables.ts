import type { Database } from "../sqlite/database.ts";
import type { Batch, Hole, Progress, Totals } from "./sink-calls.ts";

interface At {
  readonly epoch: number;
  readonly seq: number;
}

/** Writes a batch within the caller's transaction, and moves the progress of the gateways concerned. */
export function writeBatch({ sql }: Database, batch: Batch): { progress: Progress[]; added: number } {
  const reading = sql.prepare("INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)");
  const gap = sql.prepare("INSERT OR IGNORE INTO gap VALUES (?, ?, ?, ?, ?)");
  const end = sql.prepare("INSERT OR REPLACE INTO epoch VALUES (?, ?, ?)");
  let added = 0;
  for (const { gateway, epoch, seq, device, time, clock, values } of batch.readings) {
    added += reading.run(gateway, epoch, seq, device, time, clock, values).changes;
  }
  for (const { gateway, epoch, from, to, reason } of batch.gaps) gap.run(gateway, epoch, from, to, reason);
  for (const { gateway, epoch, last } of batch.ends) end.run(gateway, epoch, last);
  const gateways = new Set([...batch.readings, ...batch.gaps, ...batch.ends].map(({ gateway }) => gateway));
  return { progress: [...gateways].flatMap((gateway) => advance(sql, gateway)), added };
}

/** Of every gateway that there is something of. */
export function allProgress({ sql }: Database): Progress[] {
  const gateways = sql.prepare("SELECT DISTINCT gateway FROM reading").pluck().all().map(String);
  return gateways.flatMap((gateway) => advance(sql, gateway));
}

export function totals({ sql }: Database): Totals[] {
  return sql
    .prepare<[], Totals>(
      `SELECT gateway, count(*) AS readings,
         (SELECT coalesce(sum(to_seq - from_seq + 1), 0) FROM gap WHERE gap.gateway = reading.gateway) AS lost
       FROM reading GROUP BY gateway ORDER BY gateway`,
    )
    .all();
}

type Sql = Database["sql"];

function advance(sql: Sql, gateway: string): Progress[] {
  let at = sql.prepare<[string], At>("SELECT epoch, seq FROM progress WHERE gateway = ?").get(gateway);
  if (!at) {
    const first = sql.prepare<[string], { epoch: number | null }>(
      "SELECT min(epoch) AS epoch FROM reading WHERE gateway = ?",
    );
    const epoch = first.get(gateway)?.epoch;
    if (epoch === null || epoch === undefined) return [];
    at = { epoch, seq: 0 };
  }
  at = furthest(sql, gateway, at);
  sql.prepare("INSERT OR REPLACE INTO progress VALUES (?, ?, ?)").run(gateway, at.epoch, at.seq);
  const hole = holeAfter(sql, gateway, at);
  return [{ gateway, ...at, ...(hole && { hole }) }];
}

/** Over readings and known gaps as far as they follow each other, and into the next epoch where one is known to be complete. */
function furthest(sql: Sql, gateway: string, start: At): At {
  let at = start;
  for (;;) {
    const seq = contiguous(sql, gateway, at);
    const last = sql.prepare("SELECT last FROM epoch WHERE gateway = ? AND epoch = ?").pluck().get(gateway, at.epoch);
    const next = nextEpoch(sql, gateway, at.epoch);
    at = { epoch: at.epoch, seq };
    if (next === undefined || typeof last !== "number" || seq < last) return at;
    at = { epoch: next, seq: 0 };
  }
}

function contiguous(sql: Sql, gateway: string, { epoch, seq: start }: At): number {
  const readings = sql
    .prepare("SELECT seq FROM reading WHERE gateway = ? AND epoch = ? AND seq > ? ORDER BY seq")
    .pluck();
  const gap = sql
    .prepare("SELECT max(to_seq) FROM gap WHERE gateway = ? AND epoch = ? AND from_seq <= ? AND to_seq > ?")
    .pluck();
  let seq = start;
  for (;;) {
    for (const found of readings.iterate(gateway, epoch, seq) as Iterable<number>) {
      if (found !== seq + 1) break;
      seq = found;
    }
    const end = gap.get(gateway, epoch, seq + 1, seq);
    if (typeof end !== "number") return seq;
    seq = end;
  }
}

function nextEpoch(sql: Sql, gateway: string, epoch: number): number | undefined {
  const next = sql
    .prepare("SELECT min(epoch) FROM reading WHERE gateway = ? AND epoch > ?")
    .pluck()
    .get(gateway, epoch);
  return typeof next === "number" ? next : undefined;
}

function holeAfter(sql: Sql, gateway: string, { epoch, seq }: At): Hole | undefined {
  const next = sql
    .prepare("SELECT min(seq) FROM reading WHERE gateway = ? AND epoch = ? AND seq > ?")
    .pluck()
    .get(gateway, epoch, seq);
  if (typeof next === "number") return { from: seq + 1, to: next - 1 };
  return nextEpoch(sql, gateway, epoch) === undefined ? undefined : { from: seq + 1 };
}
