import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Machine, numbersOf, pendingOf, until } from "./fixture.ts";

const SEGMENTS = "SELECT count(*) FROM segment";

describe("accepting", () => {
  it("numbers records from 1 and gives them back in order", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    const taken = [10, 20, 30].map((n) => store.accept(machine.reading(n)));
    expect(taken.map((stored) => stored?.seq)).toEqual([1, 2, 3]);
    expect(store.epoch).toBe(Math.floor(machine.clock.wallMs() / 1000));
    expect(numbersOf(await pendingOf(store))).toEqual([10, 20, 30]);
    expect(store.counters()).toMatchObject({ sampled: 3, pending: 3, delivered: 0 });
  });

  it("wakes who waits for an arrival, and lets go of who stops waiting", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    const stop = new AbortController();
    const never = store.outbox.arrival(5, stop.signal);
    const arrival = store.outbox.arrival(0, stop.signal);
    store.accept(machine.reading(1));
    await arrival;
    await store.outbox.arrival(0, stop.signal);
    stop.abort(new Error("enough"));
    await expect(never).rejects.toThrow("enough");
  });

  it("refuses a record that is larger than any broker takes, and counts it", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    const huge = { ...machine.reading(1), values: { n: "x".repeat(300_000) } };
    expect(store.accept(huge)).toBeUndefined();
    expect(store.counters()).toMatchObject({ sampled: 1, pending: 0, dropped: { too_large: 1 } });
  });
});

describe("the commit window", () => {
  it("writes nothing to the database while everything is acknowledged within it", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    const before = readFileSync(join(machine.path, "store.db-wal"));
    for (let n = 1; n <= 60; n++) {
      const stored = store.accept(machine.reading(n));
      await machine.clock.advance(1000);
      store.outbox.acknowledge("mqtt", stored!.position);
    }
    expect(readFileSync(join(machine.path, "store.db-wal")).equals(before)).toBe(true);
    expect(machine.query(SEGMENTS)).toBe(0);
    expect(store.counters()).toMatchObject({ sampled: 60, delivered: 60, pending: 0 });
  });

  it("writes one segment once the oldest record is about to be too old", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    for (let n = 1; n <= 4; n++) {
      store.accept(machine.reading(n));
      await machine.clock.advance(900);
    }
    expect(machine.query(SEGMENTS)).toBe(0);
    await machine.clock.advance(1000);
    await until(() => machine.query(SEGMENTS) === 1);
    expect(machine.query("SELECT count FROM segment")).toBe(4);
    expect(numbersOf(await pendingOf(store))).toEqual([1, 2, 3, 4]);
  });

  it("of 0 writes each record through at once, those that come together in one commit", async () => {
    using machine = new Machine();
    await using store = await machine.open({ commitWindowMs: 0 });
    for (let n = 1; n <= 50; n++) store.accept(machine.reading(n));
    await until(() => machine.query("SELECT sum(count) FROM segment") === 50);
    expect(machine.query(SEGMENTS)).toBeLessThanOrEqual(2);
  });

  it("deletes acknowledged segments a while later, not at each acknowledgement", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    for (let n = 1; n <= 10; n++) {
      store.accept(machine.reading(n));
      await store.flush();
    }
    store.outbox.acknowledge("mqtt", 8);
    await machine.clock.advance(60_000);
    expect(machine.query(SEGMENTS)).toBe(10);
    await machine.passUntil(() => machine.query(SEGMENTS) === 2);
    expect(numbersOf(await pendingOf(store))).toEqual([9, 10]);
  });
});

describe("a stop and a start", () => {
  it("goes on with the epoch after a clean stop, even over a reboot", async () => {
    using machine = new Machine();
    const first = await machine.open();
    const { epoch, instance } = first;
    for (let n = 1; n <= 5; n++) first.accept(machine.reading(n));
    first.outbox.acknowledge("mqtt", 2, 1);
    await first[Symbol.asyncDispose]();
    machine.reboot();

    await using second = await machine.open();
    expect(second.epoch).toBe(epoch);
    expect(second.instance).toBe(instance);
    expect(second.accept(machine.reading(6))).toMatchObject({ epoch, seq: 6 });
    expect(numbersOf(await pendingOf(second))).toEqual([3, 4, 5, 6]);
    expect(second.counters()).toEqual({ sampled: 6, delivered: 2, unheard: 1, pending: 4, dropped: {} });
  });

  it("takes up everything after kill -9, in the same epoch", async () => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 3; n++) first.accept(machine.reading(n));
    await first.flush();
    for (let n = 4; n <= 6; n++) first.accept(machine.reading(n));
    first.outbox.acknowledge("mqtt", 1);
    first.outbox.setAside("mqtt", (await pendingOf(first))[2]!, "not_authorised");
    first.setMeta("gateway.id", "greenhouse-12ab");
    first.saveBoot({ boot: machine.clock.bootId(), anchors: [{ monoMs: 1, offsetMs: 2 }] });
    const { epoch } = first;
    await machine.crash(first);

    await using second = await machine.open();
    expect(second.epoch).toBe(epoch);
    expect(numbersOf(await pendingOf(second))).toEqual([2, 3, 5, 6]);
    expect(second.accept(machine.reading(7))?.seq).toBe(7);
    expect(second.counters()).toMatchObject({
      sampled: 7,
      delivered: 1,
      pending: 5,
      dropped: { not_authorised: 1 },
    });
    expect(second.getMeta("gateway.id")).toBe("greenhouse-12ab");
    expect(second.boots()).toEqual([{ boot: machine.clock.bootId(), anchors: [{ monoMs: 1, offsetMs: 2 }] }]);
    expect(second.newest("probe").get("n")).toMatchObject({ value: 7 });
  });

  it("leaves out a torn end of the staging file", async () => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 3; n++) first.accept(machine.reading(n));
    await machine.crash(first);
    const file = join(machine.staging, "staging.log");
    writeFileSync(file, readFileSync(file).subarray(0, -5));

    await using second = await machine.open();
    expect(numbersOf(await pendingOf(second))).toEqual([1, 2]);
    expect(second.accept(machine.reading(4))?.seq).toBe(3);
  });

  it("loses at most the window in a power cut, says so, and begins a new epoch", async () => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 3; n++) first.accept(machine.reading(n));
    await first.flush();
    first.outbox.acknowledge("mqtt", 1);
    for (let n = 4; n <= 6; n++) first.accept(machine.reading(n));
    const { epoch } = first;
    await machine.powerCut(first);

    await using second = await machine.open();
    expect(second.epoch).toBeGreaterThan(epoch);
    expect(numbersOf(await pendingOf(second))).toEqual([1, 2, 3]);
    expect(second.accept(machine.reading(7))).toMatchObject({ epoch: second.epoch, seq: 1 });
    expect(second.counters()).toMatchObject({ sampled: 4, pending: 4, delivered: 0 });
    const epochs = (await pendingOf(second)).map((stored) => [stored.epoch, stored.seq]);
    expect(epochs).toEqual([
      [epoch, 1],
      [epoch, 2],
      [epoch, 3],
      [second.epoch, 1],
    ]);
  });

  it("does not continue a clean stop's epoch twice", async () => {
    using machine = new Machine();
    await (await machine.open())[Symbol.asyncDispose]();
    machine.reboot();
    const second = await machine.open();
    second.accept(machine.reading(1));
    const { epoch } = second;
    await machine.powerCut(second);
    await using third = await machine.open();
    expect(third.epoch).toBeGreaterThan(epoch);
  });

  it("ignores the staging file of another boot", async () => {
    using machine = new Machine();
    const first = await machine.open();
    first.accept(machine.reading(1));
    const { epoch } = first;
    await machine.crash(first);
    machine.reboot();
    await using second = await machine.open();
    expect(second.epoch).toBeGreaterThan(epoch);
    expect(await pendingOf(second)).toEqual([]);
  });

  it("is refused while the store is open elsewhere", async () => {
    using machine = new Machine();
    await using _store = await machine.open();
    await expect(machine.open()).rejects.toMatchObject({ code: "STORE_LOCKED" });
  });
});

describe("small values", () => {
  it("keep ledger, tombstones, newest values and meta over a stop", async () => {
    using machine = new Machine();
    const first = await machine.open();
    await Promise.all([
      first.ledger.add({ topic: "a/status", broker: "b:1" }),
      first.ledger.add({ topic: "a/probe/state", device: "probe", broker: "b:1" }),
    ]);
    await first.ledger.add({ topic: "a/old/state", device: "old", broker: "b:1" });
    await first.ledger.cleared("a/old/state", "b:1");
    await first.addTombstone("old", 1234);
    await first.addTombstone("gone", 1);
    await first.removeTombstone("gone");
    first.accept({ ...machine.reading(5), quality: { n: "warming" } });
    first.accept(machine.reading(5, "old"));
    first.forgetNewest("old");
    first.setMeta("k", "v");
    await first[Symbol.asyncDispose]();

    await using second = await machine.open();
    expect(await second.ledger.topics("all")).toEqual([
      { topic: "a/probe/state", device: "probe", broker: "b:1" },
      { topic: "a/status", broker: "b:1" },
    ]);
    expect(await second.ledger.topics({ device: undefined })).toEqual([{ topic: "a/status", broker: "b:1" }]);
    expect([...second.tombstones()]).toEqual([["old", 1234]]);
    expect(second.newest("probe").get("n")).toMatchObject({ value: 5, quality: "warming" });
    expect(second.newest("old").size).toBe(0);
    expect(second.getMeta("k")).toBe("v");
  });

  it("have a ledger that survives a power cut right after `add`", async () => {
    using machine = new Machine();
    const first = await machine.open();
    await first.ledger.add({ topic: "a/status", broker: "b:1" });
    await machine.powerCut(first);
    await using second = await machine.open();
    expect(await second.ledger.topics("all")).toEqual([{ topic: "a/status", broker: "b:1" }]);
  });

  it.each(["powerCut", "crash"] as const)("stay forgotten after a %s right after `forget`", async (end) => {
    using machine = new Machine();
    const first = await machine.open();
    for (const key of ["offset/old", "offset/probe"]) first.setMeta(key, "3", "soon");
    for (const device of ["old", "probe"]) first.accept(machine.reading(5, device));
    await first.flush();
    await first[Symbol.asyncDispose]();
    const second = await machine.open();
    second.setMeta("driver/old", "not on the disk yet", "soon");
    await second.forget(["offset/old", "driver/old"], ["old"]);
    await machine[end](second);
    await using third = await machine.open();
    expect([...third.metaKeys()].filter((key) => /old|probe/.test(key))).toEqual(["offset/probe"]);
    expect(third.devices()).toEqual(["probe"]);
  });

  it("that were removed are unwritten until the disk has forgotten them", async () => {
    using machine = new Machine();
    const first = await machine.open();
    first.setMeta("offset/old", "3", "soon");
    first.accept(machine.reading(5, "old"));
    await first.flush();
    await first[Symbol.asyncDispose]();
    const second = await machine.open();
    const unwritten = () => {
      const { metaKeys, devices } = second.unwritten();
      return [metaKeys.filter((key) => key.endsWith("/old")), devices];
    };
    expect(unwritten()).toEqual([[], []]);
    second.setMeta("offset/old", undefined, "soon");
    second.forgetNewest("old");
    expect(unwritten()).toEqual([["offset/old"], ["old"]]);
    await second.forget(["offset/old"], ["old"]);
    expect(unwritten()).toEqual([[], []]);
    await machine.powerCut(second);
    await using third = await machine.open();
    expect([third.getMeta("offset/old"), third.devices()]).toEqual([undefined, []]);
  });

  it("that are removed stay so, staged or on the disk", async () => {
    using machine = new Machine();
    const first = await machine.open();
    first.setMeta("k", "v");
    await first[Symbol.asyncDispose]();
    const second = await machine.open();
    second.setMeta("k", undefined);
    await machine.crash(second);
    const third = await machine.open();
    expect(third.getMeta("k")).toBeUndefined();
    await third[Symbol.asyncDispose]();
    await using fourth = await machine.open();
    expect([...fourth.metaKeys()]).not.toContain("k");
  });
});

describe("damage", () => {
  it("moves a database that is none aside, starts fresh above what is staged, and goes on", async () => {
    using machine = new Machine();
    const first = await machine.open();
    first.accept(machine.reading(1));
    first.accept(machine.reading(2));
    await first.flush();
    first.accept(machine.reading(3));
    const { epoch, instance } = first;
    await machine.crash(first);
    // Both: the WAL alone would still hold every page.
    for (const name of ["store.db", "store.db-wal"]) writeFileSync(join(machine.path, name), "nonsense".repeat(2000));

    const second = await machine.open();
    expect(second.faults()).toMatchObject([{ code: "STORE_CORRUPT" }]);
    expect(readdirSync(machine.path).some((name) => name.startsWith("store.db.corrupt-"))).toBe(true);
    expect(second.instance).toBe(instance);
    expect(numbersOf(await pendingOf(second))).toEqual([1, 2, 3]);
    expect(second.accept(machine.reading(4))).toMatchObject({ epoch, seq: 4 });
    expect(second.counters()).toMatchObject({ sampled: 4, pending: 4, dropped: {} });
    await second.flush();
    await second[Symbol.asyncDispose]();
    await using third = await machine.open();
    expect(numbersOf(await pendingOf(third))).toEqual([1, 2, 3, 4]);
  });

  it("counts what only the damaged database had", async () => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 100; n++) first.accept({ ...machine.reading(n), values: { n, text: "x".repeat(10_000) } });
    await first.flush();
    await machine.clock.advance(1000);
    first.accept(machine.reading(101));
    const { epoch } = first;
    await machine.crash(first);
    for (const name of ["store.db", "store.db-wal"]) writeFileSync(join(machine.path, name), "nonsense".repeat(2000));

    await using second = await machine.open();
    expect(numbersOf(await pendingOf(second))).toEqual([101]);
    expect(second.accept(machine.reading(102))).toMatchObject({ epoch, seq: 102 });
    expect(second.counters()).toMatchObject({ sampled: 102, pending: 2, dropped: { corrupt: 100 } });
  });

  it("replaces a database that is damaged while it runs, keeping all that memory knows", async () => {
    using machine = new Machine();
    const store = await machine.open();
    await store.ledger.add({ topic: "a/status", broker: "b:1" });
    store.setMeta("k", "v");
    // More than the page cache holds, so that SQLite has to look at the file again.
    const noise = () => randomBytes(12_000).toString("base64");
    for (let n = 1; n <= 300; n++) store.accept({ ...machine.reading(n), values: { n, text: noise() } });
    await store.flush();
    // Shredded under the open connection, WAL and all, as a dying card does.
    for (const name of ["store.db", "store.db-wal"]) {
      const file = join(machine.path, name);
      writeFileSync(file, Buffer.alloc(readFileSync(file).byteLength, 0x5a), { flag: "r+" });
    }
    store.accept(machine.reading(301));
    await pendingOf(store);
    await store.flush();
    expect(store.faults()).toMatchObject([{ code: "STORE_CORRUPT" }]);
    expect(numbersOf(await pendingOf(store))).toEqual([301]);
    expect(store.counters()).toMatchObject({ sampled: 301, pending: 1, dropped: { corrupt: 300 } });
    const { epoch } = store;
    await store[Symbol.asyncDispose]();

    await using again = await machine.open();
    expect(again.epoch).toBe(epoch);
    expect(again.getMeta("k")).toBe("v");
    expect(await again.ledger.topics("all")).toEqual([{ topic: "a/status", broker: "b:1" }]);
    expect(again.accept(machine.reading(302))?.seq).toBe(302);
  });

  it("skips a segment whose CRC is wrong, counts it, and keeps it for salvage", async () => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 3; n++) {
      first.accept(machine.reading(n));
      await first.flush();
    }
    await first[Symbol.asyncDispose]();
    const { default: Sqlite } = await import("better-sqlite3");
    const database = new Sqlite(join(machine.path, "store.db"));
    database.exec("UPDATE segment SET data = zeroblob(length(data)) WHERE position0 = 2");
    database.close();

    await using second = await machine.open();
    expect(numbersOf(await pendingOf(second))).toEqual([1, 3]);
    expect(second.counters()).toMatchObject({ sampled: 3, pending: 2, dropped: { corrupt: 1 } });
    expect(second.faults()).toMatchObject([{ code: "STORE_CORRUPT" }]);
    second.accept(machine.reading(4));
    await second.flush();
    expect(machine.query("SELECT reason FROM dead")).toBe("corrupt");
  });

  it("refuses a database of a newer version", async () => {
    using machine = new Machine();
    await (await machine.open())[Symbol.asyncDispose]();
    const { default: Sqlite } = await import("better-sqlite3");
    const database = new Sqlite(join(machine.path, "store.db"));
    database.pragma("user_version = 99");
    database.close();
    await expect(machine.open()).rejects.toMatchObject({ code: "STORE_NEWER" });
  });
});

describe("limits", () => {
  const text = (n: number) =>
    Array.from({ length: 60 }, (_, i) => ((n * 7919 + i * 104729) % 999983).toString(36)).join("");

  it("drop whole oldest segments when the disk's share is used up, and count them", async () => {
    using machine = new Machine();
    await using store = await machine.open({ maxBytes: 256 * 1024 });
    for (let n = 1; n <= 1500; n++) {
      store.accept({ ...machine.reading(n), values: { n, text: text(n) } });
      if (n % 25 === 0) await store.flush();
    }
    await machine.passUntil(() => store.usage().bytes <= 256 * 1024);
    const left = numbersOf(await pendingOf(store, 100));
    expect(left.at(-1)).toBe(1500);
    expect(left.length).toBeGreaterThan(200);
    expect(store.counters()).toMatchObject({
      sampled: 1500,
      pending: left.length,
      dropped: { full: 1500 - left.length },
    });
  });

  it("refuse what comes when the policy says so, until there is room", async () => {
    using machine = new Machine();
    await using store = await machine.open({ maxBytes: 128 * 1024, whenFull: "refuse_newest" });
    let refused = 0;
    for (let n = 1; n <= 1500; n++) {
      if (!store.accept({ ...machine.reading(n), values: { n, text: text(n) } })) refused += 1;
      if (n % 25 === 0) await store.flush();
    }
    expect(refused).toBeGreaterThan(0);
    const { pending } = store.counters();
    expect(store.counters()).toMatchObject({ sampled: 1500, dropped: { full: refused }, pending: 1500 - refused });
    store.outbox.acknowledge("mqtt", store.outbox.head - 5);
    await machine.passUntil(() => store.usage().bytes < 128 * 1024);
    expect(store.accept(machine.reading(0))?.seq).toBe(pending + 1);
  });

  it("bound what memory holds when the disk does not take it", async () => {
    using machine = new Machine();
    await using store = await machine.open({ maxHeldBytes: 20_000 });
    for (let n = 1; n <= 500; n++) store.accept(machine.reading(n));
    const { sampled, pending, dropped } = store.counters();
    expect(pending).toBeLessThan(200);
    expect({ sampled, dropped }).toEqual({ sampled: 500, dropped: { memory_full: 500 - pending } });
    expect(numbersOf(await pendingOf(store)).at(-1)).toBe(500);
  });

  it("drop what is older than the maximum age, by monotonic time", async () => {
    using machine = new Machine();
    await using store = await machine.open({ maxAgeMs: 3_600_000 });
    store.accept(machine.reading(1));
    await machine.clock.advance(3_000_000);
    store.accept(machine.reading(2));
    await store.flush();
    await machine.clock.advance(900_000);
    store.outbox.setAside("mqtt", (await pendingOf(store))[1]!, "test");
    store.accept(machine.reading(3));
    await machine.passUntil(() => store.counters().dropped.aged === 1);
    expect(numbersOf(await pendingOf(store))).toEqual([3]);
  });
});
