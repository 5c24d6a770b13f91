import { describe, expect, it } from "vitest";
import { openReadOnlyStore } from "../../src/store/database/read-only-store.ts";
import { Machine, numbersOf, pendingOf } from "./fixture.ts";

describe("the store for commands", () => {
  it("shows what the disk has while the service runs", async () => {
    using machine = new Machine();
    await using store = await machine.open();
    for (let n = 1; n <= 5; n++) store.accept(machine.reading(n));
    store.outbox.setAside("mqtt", (await pendingOf(store))[1]!, "too_large");
    store.outbox.acknowledge("mqtt", 1);
    await store.ledger.add({ topic: "a/status", broker: "b:1" });
    await store.addTombstone("old", 7);
    store.setMeta("k", "v");
    await store.flush();
    store.accept(machine.reading(6));

    await using view = await openReadOnlyStore(machine.path);
    expect(view).toMatchObject({
      instance: store.instance,
      epoch: store.epoch,
      ledger: [{ topic: "a/status", broker: "b:1" }],
    });
    expect(view.counters).toEqual({ sampled: 5, delivered: 1, unheard: 0, pending: 3, dropped: { too_large: 1 } });
    const pending = [];
    for await (const stored of view.pending()) pending.push(stored);
    expect(numbersOf(pending)).toEqual([3, 4, 5]);
    expect(await view.dead()).toMatchObject([{ seq: 2, reason: "too_large" }]);
    expect([...view.tombstones]).toEqual([["old", 7]]);
    expect(view.getMeta("k")).toBe("v");
  });

  it("says STORE_IO where there is none", async () => {
    using machine = new Machine();
    await expect(openReadOnlyStore(machine.path)).rejects.toMatchObject({ code: "STORE_IO" });
  });
});
