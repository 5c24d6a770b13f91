import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openReadOnly } from "../../src/sqlite/database.ts";
import { collect, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { awayAndBack, awayTooLong, consumer, missingRanges, readingNames, type Tables } from "./sql-rounds.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fieldpost-recipe-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function column(file: string, query: string): string[] {
  const sql = openReadOnly(file);
  try {
    return sql
      .prepare<[], { text: string }>(query)
      .all()
      .map(({ text }) => text);
  } finally {
    sql.close();
  }
}

const sqliteTables = (file: string): Tables => ({
  readings: async () => column(file, readingNames),
  missing: async () => column(file, missingRanges),
});

test("the recipe for SQLite has every reading once, over a kill and a time away", async () => {
  const file = join(directory, "readings.db");
  await awayAndBack(file, sqliteTables(file));
});

test("and says exactly what is missing after longer than the broker's queue holds", async () => {
  const file = join(directory, "readings.db");
  await awayTooLong(file, sqliteTables(file));
});

test("a hole comes with the gateway's reason, an epoch begins with 1, and what is no reading stops nothing", async () => {
  const file = join(directory, "readings.db");
  await using broker = await startMosquitto();
  await using sink = consumer(broker.port, file);
  await using hand = await collect(broker.port, "unused");
  await sink.start();
  const reading = (epoch: number, seq: number) => {
    const time = "2026-05-01T10:00:00.000Z";
    const values = { temperature: 21.5, open: true, colour: "red" };
    const payload = { epoch, seq, time, clock: "synced", values, replay: false };
    return hand.publish("home/attic/gw/climate/readings", JSON.stringify(payload));
  };
  await sink.stop("SIGTERM");
  await using deep = consumer(broker.port, file, "--base-topic", "home/attic");
  await deep.start();
  for (const seq of [5, 6, 9]) await reading(100, seq);
  await hand.publish("home/attic/gw/climate/readings", "{broken");
  await hand.publish("home/attic/gw/climate/readings", '{"epoch": 100}');
  await hand.publish("home/attic/gw/gaps", '{"epoch":100,"from":7,"to":8,"count":2,"reason":"expired"}');
  await hand.publish("home/attic/gw/gaps", '{"epoch":100,"from":5,"to":6,"count":2,"reason":"full","consumer":"x"}');
  await reading(200, 3);
  const tables = sqliteTables(file);
  await waitFor(async () => (await tables.readings()).length === 4, "four readings");
  expect((await tables.missing()).toSorted()).toEqual(["1..2 unexplained", "7..8 expired"]);
  expect(deep.output().match(/no reading/g)).toHaveLength(2);

  const query = `SELECT device || ' ' || time || ' ' || ("values" ->> 'temperature') AS text FROM reading WHERE seq = 9`;
  expect(column(file, query)).toEqual(["climate 2026-05-01T10:00:00.000Z 21.5"]);
});
