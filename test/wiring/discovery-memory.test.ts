import { describe, expect, test } from "vitest";
import type { RetainedMessage } from "../../src/core/topics.ts";
import { DiscoveryMemory } from "../../src/wiring/discovery-memory.ts";
import { fakeLog } from "../fakes/log.ts";
import { SmallStore } from "../fakes/small-store.ts";

type Platforms = Record<string, string>;

function bench() {
  const store = new SmallStore();
  const world = { online: false, opened: true };
  const make = () =>
    new DiscoveryMemory({
      store,
      log: fakeLog(),
      isOnline: () => world.online,
      isOpened: () => world.opened,
    });
  return { world, make };
}

function message(components: Platforms): RetainedMessage {
  const made = Object.entries(components).map(([key, platform]) => [key, { platform, unique_id: `id-${key}` }]);
  return { topic: "t", device: "d", payload: JSON.stringify({ origin: {}, components: Object.fromEntries(made) }) };
}

/** Announces as the live plane does; returns the components of all that went out, in order. */
function announce(memory: DiscoveryMemory, components: Platforms): unknown[] {
  const prepared = memory.prepared(message(components));
  memory.told(prepared);
  return [...(prepared.before ?? []), prepared.payload].map((payload) => JSON.parse(payload).components);
}

const full = (key: string, platform: string) => ({ [key]: { platform, unique_id: `id-${key}` } });

describe("a component that is gone", () => {
  test("is said once more in full, then as nothing but its platform, then left out", () => {
    const { make } = bench();
    announce(make(), { a: "sensor", b: "sensor" });
    expect(announce(make(), { a: "sensor" })).toEqual([
      { ...full("a", "sensor"), ...full("b", "sensor") },
      { ...full("a", "sensor"), b: { platform: "sensor" } },
      full("a", "sensor"),
    ]);
  });

  test("is removed again once Home Assistant is known to be there, and then never more", () => {
    const { make, world } = bench();
    announce(make(), { a: "sensor", b: "sensor" });
    announce(make(), { a: "sensor" });
    expect(announce(make(), { a: "sensor" })).toHaveLength(1);
    world.online = true;
    expect(announce(make(), { a: "sensor" })).toHaveLength(3);
    expect(announce(make(), { a: "sensor" })).toHaveLength(1);
  });

  test("that comes back is not removed", () => {
    const { make, world } = bench();
    announce(make(), { a: "sensor", b: "sensor" });
    announce(make(), { a: "sensor" });
    world.online = true;
    expect(announce(make(), { a: "sensor", b: "sensor" })).toHaveLength(1);
  });

  test("and is another entity now is removed first", () => {
    const { make, world } = bench();
    world.online = true;
    announce(make(), { a: "sensor" });
    const other = { a: { platform: "sensor", unique_id: "of-another-program" } };
    const { before = [], payload } = make().prepared({
      ...message({}),
      payload: JSON.stringify({ components: other }),
    });
    expect([...before, payload].map((text) => JSON.parse(text).components)).toEqual([
      full("a", "sensor"),
      { a: { platform: "sensor" } },
      other,
    ]);
  });

  test("and has another platform now is removed first", () => {
    const { make, world } = bench();
    world.online = true;
    announce(make(), { a: "sensor" });
    expect(announce(make(), { a: "switch" })).toEqual([
      full("a", "sensor"),
      { a: { platform: "sensor" } },
      full("a", "switch"),
    ]);
  });
});

test("of a device that was not opened yet what is known already is announced, and nothing removed", () => {
  const { make, world } = bench();
  announce(make(), { a: "sensor", b: "sensor" });
  world.opened = false;
  expect(announce(make(), { b: "sensor", maybe: "sensor" })).toEqual([
    { ...full("a", "sensor"), ...full("b", "sensor") },
  ]);
  world.opened = true;
  expect(announce(make(), { a: "sensor", b: "sensor" })).toHaveLength(1);
});

test("what was deleted in Home Assistant stays away over restarts, until it is asked for", () => {
  const { make } = bench();
  make().deleted("d");
  expect(make().isDeleted("d")).toBe(true);
  expect(make().wanted("other")).toEqual([]);
  expect(make().wanted("d")).toEqual(["d"]);
  expect(make().isDeleted("d")).toBe(false);
  make().deleted("d");
  make().deleted("gateway");
  expect(make().wanted(undefined)).toEqual(["gateway", "d"]);
});

test("the place of another topic is taken once, over restarts, until that is asked for again", () => {
  const { make } = bench();
  const [first, second] = ["one", "two"].map((topic) => ({ topic, payload: "moved" }));
  const given = { ...message({ a: "sensor" }), replaces: [first, second].flatMap((one) => one ?? []) };
  expect(make().prepared(given).replaces).toEqual([first, second]);
  make().replaced("one", "d");
  expect(make().prepared(given).replaces).toEqual([second]);
  make().replaced("two", "d");
  expect(make().prepared(given)).not.toHaveProperty("replaces");
  make().replaceAgain("other");
  expect(make().prepared(given)).not.toHaveProperty("replaces");
  make().replaceAgain("d");
  expect(make().prepared(given).replaces).toEqual([first, second]);
});
