import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredRecord } from "../../src/core/reading.ts";
import { openReadOnlyStore } from "../../src/store/database/read-only-store.ts";
import type { Store } from "../../src/store/store.ts";
import { Machine, numbersOf, pendingOf } from "./fixture.ts";

type Step =
  | { readonly do: "accept"; readonly count: number }
  | { readonly do: "acknowledge"; readonly share: number }
  | { readonly do: "setAside"; readonly share: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "commit" | "crash" | "powerCut" | "restart" };

const share = fc.integer({ min: 0, max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("accept" as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), share }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("setAside" as const), share }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(900, 5000, 301_000) }) },
  { weight: 2, arbitrary: fc.constant({ do: "commit" as const }) },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ do: "crash" }, { do: "powerCut" }, { do: "restart" }) },
);

const limits = fc.constantFrom(
  { maxHeldBytes: 1 << 24 },
  { maxHeldBytes: 2000 },
  { maxHeldBytes: 2000, whenFull: "refuse_newest" as const },
);

/** What must be there, and what was on the wire: a model of one number per record. */
class Model {
  store!: Store;
  readonly given = new Set<string>();
  next = 1;

  async check(): Promise<number[]> {
    const { sampled, delivered, pending, dropped } = this.store.counters();
    const gone = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    expect(sampled).toBe(delivered + pending + gone);
    const records = await pendingOf(this.store);
    expect(records.length).toBe(pending);
    const numbers = numbersOf(records);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    return numbers;
  }
}

/** Waits for what the worker is doing, so that a copy of its files is whole, without committing anything of the outbox. */
async function quiesce({ store, next }: Model): Promise<void> {
  await store.ledger.add({ topic: `quiesce/${next}/${Math.random()}`, broker: "b:1" });
}

async function onDisk(path: string): Promise<StoredRecord[]> {
  await using view = await openReadOnlyStore(path);
  const records: StoredRecord[] = [];
  for await (const stored of view.pending()) records.push(stored);
  return records;
}

async function run(machine: Machine, model: Model, action: Step, options: object): Promise<void> {
  const { store } = model;
  const reopen = async () => {
    model.store = await machine.open(options);
  };
  switch (action.do) {
    case "accept":
      for (let n = 0; n < action.count; n++) {
        const stored = store.accept(machine.reading(model.next++));
        const id = stored && `${stored.epoch}/${stored.seq}`;
        expect(id && model.given.has(id)).toBeFalsy();
        if (id) model.given.add(id);
      }
      return;
    case "acknowledge": {
      const { head } = store.outbox;
      const cursor = store.outbox.cursor("mqtt");
      store.outbox.acknowledge("mqtt", cursor + Math.floor(((head - cursor) * action.share) / 100));
      return;
    }
    case "setAside": {
      const records = await pendingOf(store);
      const record = records[Math.floor((records.length * action.share) / 101)];
      if (record) store.outbox.setAside("mqtt", record, "too_large");
      return;
    }
    case "pass":
      await machine.clock.advance(action.ms);
      return;
    case "commit":
      await store.flush();
      return;
    case "crash": {
      await quiesce(model);
      const before = await model.check();
      await machine.crash(store);
      await reopen();
      expect(await model.check()).toEqual(before);
      return;
    }
    case "powerCut": {
      await quiesce(model);
      const durable = numbersOf(await onDisk(machine.path));
      await machine.powerCut(store);
      await reopen();
      expect(await model.check()).toEqual(durable);
      return;
    }
    case "restart": {
      const before = await model.check();
      await store[Symbol.asyncDispose]();
      await reopen();
      expect(await model.check()).toEqual(before);
      return;
    }
  }
}

describe("the counters", () => {
  it("always say sampled = delivered + pending + dropped, and what is pending is what can be read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), limits, async (steps, options) => {
        using machine = new Machine();
        const model = new Model();
        model.store = await machine.open(options);
        try {
          for (const action of steps) {
            await run(machine, model, action, options);
            await model.check();
          }
        } finally {
          await model.store[Symbol.asyncDispose]();
        }
      }),
      { numRuns: 20 },
    );
  }, 120_000);
});
