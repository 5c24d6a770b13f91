import { expect, test } from "vitest";
import type { Gap } from "../../src/store/gaps.ts";
import type { Link, Publication } from "../../src/uplink/link.ts";
import { tellGaps } from "../../src/uplink/live/gap-teller.ts";
import { uplinkDefaults } from "../../src/uplink/options.ts";
import { type Context, newMemory } from "../../src/uplink/state.ts";
import { FakeClock } from "../fakes/clock.ts";
import { MemoryStore } from "../fakes/store.ts";
import { topics } from "./bench.ts";

/** A connection that only tells gaps; `code` is what the broker answers. */
function telling(code = 0) {
  const clock = new FakeClock();
  const store = new MemoryStore();
  const memory = newMemory(clock);
  const told: Array<{ from: number; to: number; count: number; reason: string }> = [];
  const link = {
    publish: (message: Publication) => {
      told.push(JSON.parse(message.payload));
      return Promise.resolve(code);
    },
  } as unknown as Link;
  const context = { options: { ...uplinkDefaults, topics }, deps: { clock, store }, memory } as unknown as Context;
  const connect = () => {
    const over = new AbortController();
    tellGaps(link, context, over.signal).catch(() => {});
    return over;
  };
  return { clock, store, told, connect };
}

const gap = (id: number, from: number, to: number, reason = "full"): Gap => ({
  id,
  epoch: 1,
  from,
  to,
  count: to - from + 1,
  reason,
});

test("a gap that grows is told at first and then once a minute, whole, over however many connections", async () => {
  const { clock, store, told, connect } = telling();
  let over = connect();
  for (let second = 1; second <= 120; second++) {
    const [open] = store.outbox.gaps();
    store.outbox.gapList = [open ? { ...open, to: second, count: open.count + 1 } : gap(second, second, second)];
    if (second % 10 === 0) {
      over.abort();
      over = connect();
    }
    await clock.advance(1000);
  }
  over.abort();
  expect(told.length).toBeLessThanOrEqual(3);
  expect(told.length).toBeGreaterThan(1);
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(50);
  expect(told.map(({ from }) => from).slice(1)).toEqual(told.map(({ to }) => to + 1).slice(0, -1));
});

test("gaps of one kind that are there together are told together, and another kind does not wait for them", async () => {
  const { clock, store, told, connect } = telling();
  connect();
  store.outbox.gapList = [gap(1, 1, 2), gap(2, 5, 6)];
  await clock.advance(2000);
  store.outbox.gapList = [gap(3, 9, 9), gap(4, 10, 10, "aged")];
  await clock.advance(2000);
  expect(told.map(({ from, reason }) => `${reason} ${from}`)).toEqual(["full 1", "full 5", "aged 10"]);
  await clock.advance(60_000);
  expect(told.map(({ from, reason }) => `${reason} ${from}`).at(-1)).toBe("full 9");
  expect(store.outbox.gaps()).toEqual([]);
});

test("a gap that the broker refuses stays, and is tried again after a minute", async () => {
  const { clock, store, told, connect } = telling(0x97);
  connect();
  store.outbox.gapList = [gap(1, 1, 2)];
  await clock.advance(50_000);
  expect(told).toHaveLength(1);
  await clock.advance(60_000);
  expect(told).toHaveLength(2);
  expect(store.outbox.gaps()).toHaveLength(1);
});

test("what a part of the gateway itself did not get is forgotten without a word", async () => {
  const { clock, store, told, connect } = telling();
  connect();
  store.outbox.gapList = [{ ...gap(1, 1, 2), destination: ".history" }, gap(2, 5, 6)];
  await clock.advance(2000);
  expect(told.map(({ from }) => from)).toEqual([5]);
  expect(store.outbox.gaps()).toEqual([]);
});
