import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Batch, Progress } from "../../src/sink/sink-calls.ts";
import { sinkMigrations } from "../../src/sink/sink-schema.ts";
import { allProgress, totals, writeBatch } from "../../src/sink/sink-tables.ts";
import { Database } from "../../src/sqlite/database.ts";

let directory: string;
let database: Database;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sink-tables-"));
  database = new Database({ path: join(directory, "sink.db"), migrations: sinkMigrations });
});

afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const reading = (epoch: number, seq: number, gateway = "gw1") => ({
  ...{ gateway, device: "d1", epoch, seq, time: "2026-01-01T00:00:00.000Z", clock: "synced", values: "{}" },
});

function write(batch: Partial<Batch>): Progress | undefined {
  return writeBatch(database, { readings: [], gaps: [], ends: [], ...batch }).progress[0];
}

describe("how far everything is there", () => {
  test("a reading that came twice is kept once", () => {
    const twice = [reading(1, 1), reading(1, 1)];
    expect(writeBatch(database, { readings: twice, gaps: [], ends: [] }).added).toBe(1);
    expect(totals(database)).toEqual([{ gateway: "gw1", readings: 1, lost: 0 }]);
  });

  test("it stops before a hole, and goes on once the hole is filled, whatever the order", () => {
    expect(write({ readings: [1, 2, 5, 6].map((seq) => reading(1, seq)) })).toEqual({
      ...{ gateway: "gw1", epoch: 1, seq: 2 },
      hole: { from: 3, to: 4 },
    });
    expect(write({ readings: [reading(1, 4)] })).toMatchObject({ seq: 2, hole: { from: 3, to: 3 } });
    expect(write({ readings: [reading(1, 3)] })).toEqual({ gateway: "gw1", epoch: 1, seq: 6 });
  });

  test("what the gateway says will not come is no hole", () => {
    write({ readings: [1, 5].map((seq) => reading(1, seq)) });
    const gap = { gateway: "gw1", epoch: 1, from: 2, to: 4, reason: "full" };
    expect(write({ gaps: [gap] })).toEqual({ gateway: "gw1", epoch: 1, seq: 5 });
    expect(totals(database)).toEqual([{ gateway: "gw1", readings: 2, lost: 3 }]);
  });

  test("a new epoch counts once the one before is known to be complete", () => {
    expect(write({ readings: [reading(1, 1), reading(1, 2), reading(7, 1)] })).toEqual({
      ...{ gateway: "gw1", epoch: 1, seq: 2 },
      hole: { from: 3 },
    });
    expect(write({ ends: [{ gateway: "gw1", epoch: 1, last: 3 }] })).toMatchObject({
      epoch: 1,
      seq: 2,
      hole: { from: 3 },
    });
    expect(write({ readings: [reading(1, 3)] })).toEqual({ gateway: "gw1", epoch: 7, seq: 1 });
  });

  test("who comes in the middle of an epoch misses its beginning", () => {
    expect(write({ readings: [reading(3, 9)] })).toEqual({
      gateway: "gw1",
      epoch: 3,
      seq: 0,
      hole: { from: 1, to: 8 },
    });
  });

  test("each gateway has its own, and it is there after the database was opened again", () => {
    write({ readings: [reading(1, 1, "a"), reading(2, 1, "b"), reading(2, 3, "b")] });
    expect(allProgress(database)).toEqual([
      { gateway: "a", epoch: 1, seq: 1 },
      { gateway: "b", epoch: 2, seq: 1, hole: { from: 2, to: 2 } },
    ]);
  });
});
