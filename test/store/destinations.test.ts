import { describe, expect, it } from "vitest";
import { Machine, numbersOf, pendingOf } from "./fixture.ts";

const SEGMENTS = "SELECT count(*) FROM segment";

describe("consumers", () => {
  it("have a cursor each, and a record leaves the store once all are past it", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    store.outbox.setConsumers(["sink"]);
    for (let n = 1; n <= 4; n++) {
      store.accept(machine.reading(n));
      await store.flush();
    }
    store.outbox.acknowledge("mqtt", 4);
    expect(store.outbox.cursor("sink")).toBe(0);
    expect(numbersOf(await pendingOf(store))).toEqual([]);
    expect(numbersOf(await store.outbox.after(0, 10, "sink"))).toEqual([1, 2, 3, 4]);
    await machine.clock.advance(301_000);
    expect(machine.query(SEGMENTS)).toBe(4);
    store.outbox.acknowledge("sink", 3);
    await machine.passUntil(() => machine.query(SEGMENTS) === 1);
    expect(store.counters("sink")).toEqual({ sampled: 4, delivered: 3, unheard: 0, pending: 1, dropped: {} });
    expect(store.counters()).toMatchObject({ sampled: 4, delivered: 4, pending: 0 });
  });

  it("that acknowledge within the commit window cost the card nothing", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    store.outbox.setConsumers(["sink"]);
    for (let n = 1; n <= 30; n++) {
      const stored = store.accept(machine.reading(n));
      store.outbox.acknowledge("mqtt", stored!.position);
      await machine.clock.advance(1000);
      store.outbox.acknowledge("sink", stored!.position);
    }
    expect(machine.query(SEGMENTS)).toBe(0);
  });

  it("begin with what the broker still has to get, and are forgotten when they are no longer named", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    for (let n = 1; n <= 5; n++) store.accept(machine.reading(n));
    store.outbox.acknowledge("mqtt", 2);
    store.outbox.setConsumers(["a", "b"]);
    expect(store.outbox.destinations).toEqual(["mqtt", "a", "b"]);
    expect(numbersOf(await store.outbox.after(0, 10, "a"))).toEqual([3, 4, 5]);
    store.outbox.acknowledge("mqtt", 5);
    store.outbox.acknowledge("b", 5);
    await store.flush();
    store.outbox.setConsumers(["b"]);
    expect(() => store.outbox.cursor("a")).toThrow("no destination a");
    await machine.passUntil(() => machine.query(SEGMENTS) === 0);
    store.accept(machine.reading(6));
    await store.flush();
    expect(machine.query("SELECT count(*) FROM cursor")).toBe(2);
    expect(machine.query("SELECT count(*) FROM counter WHERE name LIKE 'a %'")).toBe(0);
  });

  it.each(["crash", "powerCut"] as const)("and their cursors and counters survive a %s", async (how) => {
    using machine = new Machine();
    const first = await machine.open();
    first.outbox.setConsumers(["a", "b"]);
    for (let n = 1; n <= 6; n++) first.accept(machine.reading(n));
    const records = await pendingOf(first);
    first.outbox.acknowledge("mqtt", 5);
    first.outbox.acknowledge("a", 2);
    first.outbox.setAside("b", records[0]!, "too_large");
    await first.flush();
    if (how === "crash") first.outbox.acknowledge("a", 3);
    await machine[how](first);

    await using second = await machine.open();
    expect(second.outbox.destinations).toEqual(["mqtt", "a", "b"]);
    expect(second.outbox.cursor("a")).toBe(how === "crash" ? 3 : 2);
    expect(numbersOf(await second.outbox.after(0, 10, "b"))).toEqual([2, 3, 4, 5, 6]);
    expect(numbersOf(await pendingOf(second))).toEqual([6]);
    expect(second.counters("b")).toEqual({
      sampled: 6,
      delivered: 0,
      unheard: 0,
      pending: 5,
      dropped: { too_large: 1 },
    });
  });

  it("wake for their own arrivals", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    store.outbox.setConsumers(["a"]);
    const { signal } = new AbortController();
    store.accept(machine.reading(1));
    store.outbox.acknowledge("mqtt", 1);
    await store.outbox.arrival(0, signal, "a");
    const next = store.outbox.arrival(1, signal, "a");
    store.accept(machine.reading(2));
    await next;
  });
});

describe("a range that is asked for again", () => {
  it("comes from the disk and from memory, delivered or not, as far as it is held", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    for (let n = 1; n <= 3; n++) store.accept(machine.reading(n));
    await store.flush();
    for (let n = 4; n <= 6; n++) store.accept(machine.reading(n));
    store.outbox.acknowledge("mqtt", 2);
    const { epoch } = store;
    expect(numbersOf(await store.outbox.range(epoch, 2, 5, 10))).toEqual([2, 3, 4, 5]);
    expect(numbersOf(await store.outbox.range(epoch, 1, 99, 4))).toEqual([1, 2, 3, 4]);
    expect(await store.outbox.range(epoch - 1, 1, 99, 4)).toEqual([]);
    store.outbox.acknowledge("mqtt", 6);
    expect(numbersOf(await store.outbox.range(epoch, 1, 99, 10))).toEqual([1, 2, 3]);
  });

  it("keeps the epochs apart", async () => {
    using machine = new Machine();
    const first = await machine.open();
    const { epoch } = first;
    for (let n = 1; n <= 3; n++) first.accept(machine.reading(n));
    await first.flush();
    await machine.powerCut(first);
    await using second = await machine.open();
    for (let n = 4; n <= 5; n++) second.accept(machine.reading(n));
    await second.flush();
    expect(numbersOf(await second.outbox.range(epoch, 2, 99, 10))).toEqual([2, 3]);
    expect(numbersOf(await second.outbox.range(second.epoch, 1, 1, 10))).toEqual([4]);
    expect(second.outbox.position(epoch, 3)).toBe(3);
    expect(second.outbox.position(second.epoch, 2)).toBe(5);
    expect(second.outbox.position(epoch, 4)).toBeUndefined();
    expect(second.outbox.position(second.epoch, 3)).toBeUndefined();
    expect(second.outbox.position(1, 1)).toBeUndefined();
  });
});

describe("gaps", () => {
  it("tell what was dropped, set aside and refused, until they are acknowledged", async () => {
    using machine = new Machine();
    await using store = await machine.open({ maxHeldBytes: 1500 });
    const taken = Array.from({ length: 30 }, (_, n) => store.accept(machine.reading(n))!);
    const { dropped } = store.counters();
    const [full] = store.outbox.gaps();
    expect(full).toMatchObject({ epoch: store.epoch, from: 1, to: dropped.memory_full, count: dropped.memory_full });
    expect(full).toMatchObject({ reason: "memory_full", since: taken[0]!.record.at });
    store.outbox.setAside("mqtt", taken[27]!, "too_large");
    store.accept({ ...machine.reading(1), values: { n: "x".repeat(300_000) } });
    const [, aside, refused] = store.outbox.gaps();
    expect(aside).toMatchObject({ from: 28, to: 28, count: 1, reason: "too_large" });
    expect(refused).toMatchObject({ epoch: store.epoch, count: 1, reason: "too_large" });
    expect(refused).not.toHaveProperty("from");
    store.outbox.acknowledgeGap(aside!);
    expect(store.outbox.gaps()).toEqual([full, refused]);
    // It grew since it was published.
    for (let n = 31; n <= 34; n++) store.accept(machine.reading(n));
    store.outbox.acknowledgeGap(full!);
    expect(store.outbox.gaps()[0]!.count).toBeGreaterThan(full!.count);
  });

  it("name the consumer where only that one has not got it", async () => {
    using machine = new Machine();
    await using store = await machine.open({ maxHeldBytes: 600 });
    store.outbox.setConsumers(["sink"]);
    const first = store.accept(machine.reading(1))!;
    store.outbox.acknowledge("mqtt", first.position);
    for (let n = 2; n <= 6; n++) store.accept(machine.reading(n));
    const [own, everybodys] = store.outbox.gaps();
    expect(own).toMatchObject({ from: 1, to: 1, destination: "sink" });
    expect(everybodys).toMatchObject({ from: 2, reason: "memory_full" });
    expect(everybodys).not.toHaveProperty("destination");
  });

  it.each(["crash", "powerCut"] as const)("survive a %s", async (how) => {
    using machine = new Machine();
    const first = await machine.open();
    for (let n = 1; n <= 3; n++) first.accept(machine.reading(n));
    const records = await pendingOf(first);
    first.outbox.setAside("mqtt", records[0]!, "too_large");
    first.outbox.setAside("mqtt", records[2]!, "too_large");
    const [told, left] = first.outbox.gaps();
    await first.flush();
    first.outbox.acknowledgeGap(told!);
    await first.flush();
    await first.ledger.add({ topic: "wait", broker: "b:1" });
    if (how === "powerCut") {
      first.accept(machine.reading(4));
      await first.flush();
    }
    const { epoch } = first;
    await machine[how](first);
    await using second = await machine.open();
    const cut = { epoch, from: 5, count: 0, reason: "power_cut" };
    expect(second.outbox.gaps()).toMatchObject(how === "crash" ? [left] : [left, cut]);
    if (how === "powerCut") expect(machine.query("SELECT count(*) FROM gap")).toBe(2);
  });

  it("are never more than a thousand, and count what is in them", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    const taken = Array.from({ length: 2600 }, (_, n) => store.accept(machine.reading(n))!);
    for (const stored of taken) if (stored.seq % 2 === 0) store.outbox.setAside("mqtt", stored, "too_large");
    const gaps = store.outbox.gaps();
    expect(gaps.length).toBe(1000);
    expect(gaps.reduce((sum, { count }) => sum + count, 0)).toBe(1300);
    expect(gaps[0]).toMatchObject({ from: 2, reason: "too_large" });
  });
});
