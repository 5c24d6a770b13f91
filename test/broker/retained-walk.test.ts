import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RetainedEntry, type RetainedNode, RetainedWalk } from "../../src/broker/routing/retained-walk.ts";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";

function treeOf(topics: readonly string[]): RetainedNode {
  const root: RetainedNode = { children: undefined, entry: undefined };
  for (const [sequence, topic] of topics.entries()) {
    let node = root;
    for (const level of topic.split("/")) {
      node.children ??= new Map();
      const child = node.children.get(level) ?? { children: undefined, entry: undefined };
      node.children.set(level, child);
      node = child;
    }
    node.entry = { sequence } as RetainedEntry;
  }
  return root;
}

/** The specification's words (4.7), without a tree. */
function isMeant(filter: readonly string[], topic: readonly string[]): boolean {
  return !(topic[0]?.startsWith("$") && /^[+#]$/.test(filter[0] ?? "")) && matches(filter, topic);
}

function matches(filter: readonly string[], topic: readonly string[]): boolean {
  const [first, ...rest] = filter;
  if (first === undefined) return topic.length === 0;
  if (first === "#") return true;
  if (topic.length === 0 || (first !== "+" && first !== topic[0])) return false;
  return matches(rest, topic.slice(1));
}

const level = fc.constantFrom("a", "b", "", "$a");
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all || levels.length === 0 ? ["#"] : [])].join("/"));

describe("the walk through what is retained", () => {
  test("[MQTT-4.7.2-1] [MQTT-4.7.3-4] gives each match once, however little it looks at in a turn", () => {
    fc.assert(
      fc.property(fc.uniqueArray(topic), filter, fc.integer({ min: 1, max: 5 }), (topics, asked, levels) => {
        const walk = new RetainedWalk(treeOf(topics), asked);
        const found: string[] = [];
        for (let entry = walk.next({ levels }); entry !== undefined; entry = walk.next({ levels }))
          if (entry !== "later") found.push(topics[entry.sequence] as string);
        const expected = topics.filter((name) => isMeant(asked.split("/"), name.split("/")));
        expect(found.sort()).toEqual(expected.sort());
      }),
    );
  });

  test("looks at no more levels than it may", () => {
    const walk = new RetainedWalk(treeOf(Array.from({ length: 1000 }, (_, n) => `t/${n}/x`)), "+/+/y");
    const budget = { levels: 100 };
    expect(walk.next(budget)).toBe("later");
    expect(budget.levels).toBe(-1);
    expect(walk.next({ levels: 10_000 })).toBeUndefined();
  });

  test("others are served while one asks for what is nowhere in it, and what is there still arrives", async () => {
    await using broker = await openTestBroker();
    const publisher = await broker.join("publisher", 5);
    for (let n = 0; n < 5000; n++) publisher.send(publishPacket(`t/${n}/x`, "1", { retain: true }));
    publisher.send(publishPacket("last/one/y", "found", { retain: true, qos: 1 }));
    await publisher.untilPong();
    const asker = await broker.join("asker", 5);
    const nowhere = Array.from({ length: 50 }, (_, n) => ({
      filter: `+/+/z${n}`,
      qos: 0 as const,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    }));
    const there = { ...nowhere[0]!, filter: "+/+/y" };
    asker.send({ type: "subscribe", packetId: 1, subscriptions: [...nowhere, there], properties: {} });
    await asker.nextOf("suback");
    // Each answer takes a turn or two; looking through all of it at once would leave nothing for later.
    for (let n = 0; n < 10; n++) expect(await publisher.untilPong()).toEqual([]);
    expect(await asker.untilPong()).toEqual([]);
    const { payload } = await asker.nextOf("publish");
    expect(payload.toString()).toBe("found");
    await subscribe(asker, "last/#");
    expect(await asker.untilPong()).toMatchObject([{ topic: "last/one/y" }]);
  });
});
