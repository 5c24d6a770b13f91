import { join } from "node:path";
import { expect } from "vitest";
import { startMosquitto, waitFor } from "../support/mosquitto.ts";
import { program } from "./program.ts";
import { startSource } from "./source.ts";

/** How a test looks into the recipe's database. */
export interface Tables {
  /** `gateway/epoch/seq` of each row of `reading`. */
  readings(): Promise<string[]>;
  /** Each row of `missing`: `from..to reason`. */
  missing(): Promise<string[]>;
}

export const readingNames = "SELECT gateway || '/' || epoch || '/' || seq AS text FROM reading";
export const missingRanges =
  "SELECT from_seq || '..' || to_seq || ' ' || COALESCE(reason, 'unexplained') AS text FROM missing";

const SCRIPT = join(import.meta.dirname, "../../config/recipes/readings-to-sql.py");
const QUEUE = 20;

// Debian's Python: Debian's Paho is for it alone.
export const consumer = (port: number, database: string, ...more: string[]) =>
  program(["/usr/bin/python3", SCRIPT, "--port", `${port}`, "--host", "127.0.0.1", "--database", database, ...more], {
    isReady: (output) => output.includes("subscribed"),
  });

async function untilAll(tables: Tables, names: () => string[], what: string): Promise<void> {
  await waitFor(async () => (await lostOf(tables, names())).length === 0, what);
}

/** Killed, away, and back: everything is there, each once, and nothing counts as missing. */
export async function awayAndBack(database: string, tables: Tables): Promise<void> {
  await using broker = await startMosquitto();
  await using sink = consumer(broker.port, database);
  await sink.start();
  await using source = await startSource(broker);
  await source.more(12);
  await sink.stop("SIGKILL");
  await source.more(12);
  await source.repeat(6);
  await sink.start();
  await source.more(4);
  source.gateway.signal("SIGTERM");
  await source.gateway.exited();
  await untilAll(tables, source.names, "every reading in the database");
  const kept = await tables.readings();
  expect(kept.toSorted()).toEqual(source.names().toSorted());
  expect(await tables.missing()).toEqual([]);
  expect(sink.output()).not.toContain("no reading");
}

/** Away for longer than the broker's queue: what the broker dropped is told, and only that. */
export async function awayTooLong(database: string, tables: Tables): Promise<void> {
  await using broker = await startMosquitto({ global: [`max_queued_messages ${QUEUE}`] });
  await using sink = consumer(broker.port, database);
  await sink.start();
  await using source = await startSource(broker);
  await source.more(4);
  await untilAll(tables, source.names, "the first readings");
  await sink.stop("SIGTERM");
  const before = (await tables.readings()).length;
  await source.more(QUEUE * 3);
  await sink.start();
  await waitFor(async () => (await tables.readings()).length > before + QUEUE, "what waited, and what came since");
  source.gateway.signal("SIGTERM");
  await source.gateway.exited();
  const last = source.names().at(-1) ?? "";
  await waitFor(async () => (await tables.readings()).includes(last), "the last reading");
  const lost = await lostOf(tables, source.names());
  expect(lost.length).toBeGreaterThan(0);
  expect(await tables.missing()).toEqual(rangesOf(lost).map(([from, to]) => `${from}..${to} unexplained`));
}

async function lostOf(tables: Tables, names: readonly string[]): Promise<string[]> {
  const kept = new Set(await tables.readings());
  return names.filter((name) => !kept.has(name));
}

/** Of one epoch, in order: what hangs together. */
function rangesOf(names: readonly string[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const seq of names.map((name) => Number(name.split("/").at(-1)))) {
    const last = ranges.at(-1);
    if (last && last[1] + 1 === seq) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ranges;
}
