import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TopicTable } from "../../src/broker/routing/topic-table.ts";
import { type Subscriber, TopicTree } from "../../src/broker/routing/topic-tree.ts";

/** The rules of section 4.7, level by level. */
function matches(filter: string, topic: string): boolean {
  const [wanted, given] = [filter.split("/"), topic.split("/")];
  if (topic.startsWith("$") && (wanted[0] === "#" || wanted[0] === "+")) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === "#") return true;
    if (i >= given.length || (level !== "+" && level !== given[i])) return false;
  }
  return wanted.length === given.length;
}

const level = fc.constantFrom("", "a", "b", "$s");
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 3 }), fc.oneof(level, fc.constantFrom("+", "#")))
  .map(([levels, last]) => [...levels, last].join("/"));

function subscription(filter: string, subscriber: Subscriber) {
  return { subscriber, filter, qos: 0, noLocal: false, retainAsPublished: false } as const;
}

describe("the topic tree", () => {
  test("finds exactly the filters that match, whatever was added and removed before", () => {
    const steps = fc.array(fc.tuple(fc.boolean(), filter), { maxLength: 30 });
    fc.assert(
      fc.property(steps, topic, (steps, topic) => {
        const tree = new TopicTree();
        const subscriber: Subscriber = { deliver() {}, readiness: 2, mayRead: () => true, isKept: false };
        const there = new Set<string>();
        for (const [add, filter] of steps) {
          if (add) tree.add(subscription(filter, subscriber));
          else tree.remove(subscription(filter, subscriber));
          if (add) there.add(filter);
          else there.delete(filter);
        }
        const found = tree.match(topic).subscriptions.map(({ filter }) => filter);
        expect(found.sort()).toEqual([...there].filter((filter) => matches(filter, topic)).sort());
      }),
      { numRuns: 2000 },
    );
  });

  test("does not answer from memory once a subscription has changed", () => {
    const tree = new TopicTree();
    const topic = new TopicTable(10).internName("a");
    const subscriber: Subscriber = { deliver() {}, readiness: 2, mayRead: () => true, isKept: false };
    expect(tree.route(topic).direct).toHaveLength(0);
    tree.add(subscription("+", subscriber));
    expect(tree.route(topic).direct).toHaveLength(1);
    tree.remove(subscription("+", subscriber));
    expect(tree.route(topic).direct).toHaveLength(0);
  });
});

describe("the topic table", () => {
  test("gives the same topic for the same bytes, and the right one however many share its slots", () => {
    const table = new TopicTable(10);
    expect(table.internName("same")).toBe(table.internName("same"));
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 20_000; i++) expect(table.internName(`t/${i}`).name).toBe(`t/${i}`);
  });
});
