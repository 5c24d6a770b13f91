import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Machine, numbersOf, pendingOf } from "./fixture.ts";

const PAGE = 4096;

/** A store with many segments, stopped; the first 20 records are delivered and gone from it. */
async function stoppedStore(machine: Machine, how: "clean" | "powerCut" = "clean"): Promise<number> {
  const store = await machine.open();
  store.setMeta("gateway.id", "greenhouse-12ab");
  await store.ledger.add({ topic: "a/status", broker: "b:1" });
  for (let n = 1; n <= 200; n++) {
    store.accept({ ...machine.reading(n), values: { n, text: `${n}`.repeat(300) } });
    if (n % 4 === 0) await store.flush();
    if (n === 20) store.outbox.acknowledge("mqtt", 20);
  }
  const { epoch } = store;
  if (how === "clean") await store[Symbol.asyncDispose]();
  else await machine.powerCut(store);
  return epoch;
}

function damagePage(machine: Machine, page: number, name = "store.db"): void {
  const file = join(machine.path, name);
  writeFileSync(file, readFileSync(file).fill(0x5a, (page - 1) * PAGE, page * PAGE));
}

describe("a damaged database", () => {
  it("without its header gives back every segment, and the epoch is a new one", async () => {
    using machine = new Machine();
    const epoch = await stoppedStore(machine);
    damagePage(machine, 1);
    machine.reboot();
    await using store = await machine.open();
    const found = await pendingOf(store, 50);
    expect(numbersOf(found)).toEqual(Array.from({ length: 180 }, (_, index) => index + 21));
    expect(found.every((stored) => stored.epoch === epoch && stored.seq === stored.record.values.n)).toBe(true);
    expect(store.epoch).toBeGreaterThan(epoch);
    expect(store.faults()).toMatchObject([
      { code: "STORE_CORRUPT", message: expect.stringContaining("180 records salvaged") },
    ]);
    expect(store.accept(machine.reading(201))).toMatchObject({ epoch: store.epoch, seq: 1 });
  });

  it("with one bad page loses what was on it, counted, and keeps the small values", async () => {
    using machine = new Machine();
    const epoch = await stoppedStore(machine);
    const pages = statSync(join(machine.path, "store.db")).size / PAGE;
    damagePage(machine, pages - 3);
    machine.reboot();
    await using store = await machine.open();
    const found = numbersOf(await pendingOf(store, 50));
    expect(found.length).toBeGreaterThan(100);
    expect(found.length).toBeLessThan(180);
    const { sampled, delivered, pending, dropped } = store.counters();
    expect({ sampled, delivered, pending }).toEqual({ sampled: 200, delivered: 20, pending: found.length });
    expect(dropped).toEqual({ corrupt: 180 - found.length });
    expect(store.epoch).toBeGreaterThan(epoch);
    expect(store.getMeta("gateway.id")).toBe("greenhouse-12ab");
    expect(await store.ledger.topics("all")).toEqual([{ topic: "a/status", broker: "b:1" }]);
  });

  it("is salvaged from its WAL, too", async () => {
    using machine = new Machine();
    await stoppedStore(machine, "powerCut");
    damagePage(machine, 1);
    const wal = join(machine.path, "store.db-wal");
    const bytes = readFileSync(wal);
    // The WAL's header: without it SQLite takes the WAL for empty.
    writeFileSync(wal, bytes.fill(0, 0, 32));
    await using store = await machine.open();
    expect(numbersOf(await pendingOf(store, 50))).toEqual(Array.from({ length: 180 }, (_, index) => index + 21));
  });

  it.each([
    ["empty", () => Buffer.alloc(0)],
    ["something else", () => Buffer.from("not a database".repeat(1000))],
    ["cut off in its first page", (whole: Buffer) => whole.subarray(0, 1000)],
  ])("that is %s is moved aside, and the store goes on", async (_, damaged) => {
    using machine = new Machine();
    await stoppedStore(machine);
    const file = join(machine.path, "store.db");
    writeFileSync(file, damaged(readFileSync(file)));
    machine.reboot();
    await using store = await machine.open();
    expect(store.faults()).toMatchObject([{ code: "STORE_CORRUPT" }]);
    expect(readdirSync(machine.path).some((name) => name.startsWith("store.db.corrupt-"))).toBe(true);
    expect(store.accept(machine.reading(1))?.seq).toBe(1);
    await store.flush();
  });

  it("is salvaged anew when that was interrupted", async () => {
    using machine = new Machine();
    await stoppedStore(machine);
    damagePage(machine, 1);
    writeFileSync(join(machine.path, "store.db.new"), "half of it");
    await using store = await machine.open();
    expect((await pendingOf(store, 50)).length).toBe(180);
    expect(existsSync(join(machine.path, "store.db.new"))).toBe(false);
  });

  it("whose replacement was ready before it was moved aside gives way to it", async () => {
    using machine = new Machine();
    await stoppedStore(machine);
    const file = join(machine.path, "store.db");
    renameSync(file, `${file}.new`);
    copyFileSync(`${file}.new`, `${file}-wal`);
    await using store = await machine.open();
    expect(store.faults()).toEqual([]);
    expect((await pendingOf(store, 50)).length).toBe(180);
  });

  it("with staging intact goes on in its epoch, and staging fills what the disk lost", async () => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 12; n++) {
      first.accept(machine.reading(n));
      if (n === 8) await first.flush();
    }
    const { epoch } = first;
    await machine.crash(first);
    for (const name of ["store.db", "store.db-wal"]) writeFileSync(join(machine.path, name), "x".repeat(5000));
    await using second = await machine.open();
    expect(second.epoch).toBe(epoch);
    expect(numbersOf(await pendingOf(second))).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });
});
