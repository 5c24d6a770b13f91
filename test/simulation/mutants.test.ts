import { expect, it } from "vitest";
import { withMethods } from "./gateway.ts";
import type { Mutation } from "./mutation.ts";
import { simulate } from "./run.ts";

/** A mistake that needs more schedules than this to show would be found in ten thousand, but would make this test long. */
const MANY = 400;

/** What is found wrong with a mutated agent first, and after how many schedules. */
async function caught(mutation: Mutation): Promise<string> {
  for (let seed = 1; seed <= MANY; seed++) {
    const { violations } = await simulate(seed, mutation);
    if (violations[0] !== undefined) return violations[0];
  }
  return `nothing, in ${MANY} schedules`;
}

it("notices an agent whose cursor moves before the acknowledgement", async () => {
  const early: Mutation = {
    link: (link) =>
      withMethods(link, {
        send(message, alone, answered) {
          link.send(message, alone, () => {});
          queueMicrotask(() => answered(0));
        },
      }),
  };
  expect(await caught(early)).toMatch(/is missing/);
});

it("notices an agent that gives out a seq again after a kill", async () => {
  const reusing: Mutation = {
    losesStaging: true,
    loaded(loaded) {
      const epoch = loaded.epochs.at(-1)?.epoch;
      const isFirst = epoch === undefined;
      return isFirst ? loaded : { ...loaded, meta: [...loaded.meta, ["store.clean", `${epoch} ${loaded.head}`]] };
    },
  };
  expect(await caught(reusing)).toMatch(/was given to two readings/);
});

it("notices an agent that keeps nothing over a kill", async () => {
  expect(await caught({ losesStaging: true })).toMatch(/is missing|was lost/);
});

it("notices an agent that does not sync", async () => {
  expect(await caught({ diskLies: true })).toMatch(/is missing|was lost at a power cut/);
});

it("notices an agent that loses a reading on the way to the broker", async () => {
  const lossy: Mutation = {
    store: (store) =>
      withMethods(store, {
        outbox: withMethods(store.outbox, {
          after: async (...args) => (await store.outbox.after(...args)).filter(({ seq }) => seq % 17 !== 0),
        }),
      }),
  };
  expect(await caught(lossy)).toMatch(/is missing|was lost|not everything is delivered/);
});

it("notices an agent that sends out of order", async () => {
  const unordered: Mutation = {
    store: (store) =>
      withMethods(store, {
        outbox: withMethods(store.outbox, {
          after: async (...args) => {
            const [first, second, ...rest] = await store.outbox.after(...args);
            return first && second ? [second, first, ...rest] : first ? [first] : [];
          },
        }),
      }),
  };
  expect(await caught(unordered)).toMatch(/came after/);
});

it("notices an agent that sends twice over one connection", async () => {
  const repeating: Mutation = {
    link: (link) =>
      withMethods(link, {
        send(message, alone, answered) {
          if (JSON.parse(message.payload).seq === 3) link.send(message, alone, () => {});
          link.send(message, alone, answered);
        },
      }),
  };
  expect(await caught(repeating)).toMatch(/came twice over connection/);
});

it("notices an agent whose retained state is not the newest", async () => {
  let states = 0;
  const stale: Mutation = {
    link: (link) =>
      withMethods(link, {
        async publish(message, urgent) {
          if (message.topic.endsWith("/state") && ++states % 3 === 0) return 0;
          return await link.publish(message, urgent);
        },
      }),
  };
  expect(await caught(stale)).toMatch(/the retained state of \w+ is/);
});

it("notices an agent whose times are off by 50 ms", async () => {
  const shifting: Mutation = { store: (store) => withMethods(store, { boots: () => shifted(store.boots()) }) };
  expect(await caught(shifting)).toMatch(/is dated off by/);
});

function shifted(boots: ReturnType<Parameters<NonNullable<Mutation["store"]>>[0]["boots"]>) {
  return boots.map((boot) => ({
    ...boot,
    anchors: boot.anchors.map((anchor) => ({ ...anchor, offsetMs: anchor.offsetMs + 50 })),
  }));
}

it("notices counters that do not add up", async () => {
  const miscounting: Mutation = {
    store: (store) =>
      withMethods(store, { counters: () => ({ ...store.counters(), sampled: store.counters().sampled + 1 }) }),
  };
  expect(await caught(miscounting)).toMatch(/sampled are not/);
});
