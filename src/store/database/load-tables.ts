import { GatewayError } from "../../core/errors.ts";
import type { Anchor, BootAnchors } from "../../core/timeline.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Gap } from "../gaps.ts";
import type { Range } from "../live-ranges.ts";
import type { DiskDestination, Loaded } from "./store-calls.ts";

/** A counter's name of a reason that records were dropped for. */
export const DROPPED = "dropped:";

/** Reads everything but the records. */
export function load({ sql }: Pick<Database, "sql">): Loaded {
  const all = <T>(query: string) => sql.prepare<[], T>(query).all();
  const pairs = <K, V>(query: string) => sql.prepare<[], [K, V]>(query).raw().all() as [K, V][];
  const counter = readCounters(sql);
  const beyond = beyondCounters(sql, counter);
  const dead = sql.prepare<[string], number>("SELECT position FROM dead WHERE destination = ?").pluck();
  const ranges = joined(
    sql.prepare<[], [number, number]>("SELECT position0, count FROM segment ORDER BY position0").raw(),
  );
  return {
    epochs: all("SELECT epoch, base, uuid AS boot FROM epoch JOIN boot ON boot.id = epoch.boot ORDER BY base, epoch"),
    head: Math.max(counter.get("head") ?? 0, ranges.at(-1)?.to ?? 0),
    destinations: pairs<string, number>("SELECT destination, position FROM cursor").map(([name, cursor]) => ({
      name,
      cursor,
      counters: countersOf(counter, name, beyond.records),
      dead: dead.all(name),
    })),
    ranges,
    gaps: pairs<number, string>("SELECT id, gap FROM gap ORDER BY id").flatMap(([, text]) => {
      const gap = parsed<Gap>(text);
      return gap ? [gap] : [];
    }),
    boots: all<BootRow>("SELECT uuid, anchors, seen FROM boot ORDER BY id").map(bootOf),
    meta: pairs("SELECT key, value FROM meta"),
    newest: pairs<string, string>("SELECT device, channels FROM newest").filter(([, channels]) => parsed(channels)),
    tombstones: pairs("SELECT device, wall_ms FROM tombstone"),
    ledger: all<LedgerRow>("SELECT broker, topic, device FROM ledger WHERE present").map(({ broker, topic, device }) =>
      device === null ? { broker, topic } : { broker, topic, device },
    ),
  };
}

interface LedgerRow {
  readonly broker: string;
  readonly topic: string;
  readonly device: string | null;
}

interface BootRow {
  readonly uuid: string;
  readonly anchors: string;
  readonly seen: string | null;
}

function bootOf({ uuid, anchors, seen }: BootRow): BootAnchors {
  const last = seen === null ? undefined : parsed<Anchor>(seen);
  return { boot: uuid, anchors: parsed<readonly Anchor[]>(anchors) ?? [], ...(last && { seen: last }) };
}

/** SQLite does not see a flipped bit in a text. */
function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function readCounters(sql: Database["sql"]): ReadonlyMap<string, number> {
  return new Map(sql.prepare<[], [string, number]>("SELECT name, value FROM counter").raw().all());
}

/** What came after the counters were written: a commit that only takes records leaves them alone. */
export function beyondCounters(
  sql: Database["sql"],
  counter: ReadonlyMap<string, number>,
): { readonly segments: number; readonly records: number } {
  const beyond = sql.prepare<[number], { segments: number; records: number }>(
    "SELECT count(*) AS segments, coalesce(sum(count), 0) AS records FROM segment WHERE position0 > ?",
  );
  return beyond.get(counter.get("head") ?? 0) ?? { segments: 0, records: 0 };
}

/** `taken`: records that were sampled since. */
export function countersOf(
  counter: ReadonlyMap<string, number>,
  destination: string,
  taken: number,
): DiskDestination["counters"] {
  const value = (name: string) => counter.get(`${destination} ${name}`) ?? 0;
  const prefix = `${destination} ${DROPPED}`;
  const dropped = [...counter].flatMap(([name, count]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), count] as const] : [],
  );
  return {
    sampled: value("sampled") + taken,
    delivered: value("delivered"),
    unheard: value("unheard"),
    dropped: Object.fromEntries(dropped),
  };
}

function joined(segments: { iterate(): Iterable<unknown> }): Range[] {
  const ranges: Range[] = [];
  for (const [from, count] of segments.iterate() as Iterable<[number, number]>) {
    const last = ranges.at(-1);
    if (count < 1 || from <= (last?.to ?? 0)) throw new GatewayError("STORE_CORRUPT", `no segment can be at ${from}`);
    if (last && last.to + 1 === from) ranges[ranges.length - 1] = { from: last.from, to: from + count - 1 };
    else ranges.push({ from, to: from + count - 1 });
  }
  return ranges;
}
