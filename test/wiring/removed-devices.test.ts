import { expect, test } from "vitest";
import type { DecommissionRequest, DecommissionResult } from "../../src/lifecycle/decommission.ts";
import { endRemovedDevices } from "../../src/wiring/lifecycle/removed-devices.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";
import { SmallStore } from "../fakes/small-store.ts";
import { MemoryStore } from "../fakes/store.ts";

const HOUR_MS = 3_600_000;

async function bench(graceMs: number) {
  const clock = new FakeClock();
  const { ledger } = new MemoryStore();
  await ledger.add({ topic: "fieldpost/gw/probe/status", device: "probe", broker: "b:1" });
  await ledger.add({ topic: "fieldpost/gw/status", broker: "b:1" });
  const small = new SmallStore();
  const tombstones = small.ended;
  const configured = new Set<string>();
  const ended: string[] = [];
  const store = Object.assign(small, { ledger });
  const decommissions = {
    async request(id: string, _request: DecommissionRequest): Promise<DecommissionResult> {
      ended.push(id);
      tombstones.set(id, 1);
      return { id, outcome: "done", topics: [], left: [], elsewhere: [], waiting: 0, steps: [] };
    },
  };
  let stop = new AbortController();
  const isConfigured = (id: string) => configured.has(id);
  const start = () => {
    stop = new AbortController();
    return endRemovedDevices({ clock, log: fakeLog(), store, decommissions, graceMs, isConfigured }, stop.signal);
  };
  let running = start();
  return {
    clock,
    configured,
    ended,
    small,
    /** The process ends, and another begins: in the same boot, or after another. */
    async restart(boot?: string) {
      stop.abort();
      await running;
      if (boot !== undefined) clock.boot = boot;
      running = start();
      await clock.advance(0);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

test("a device that left the configuration is decommissioned after the grace, and not before", async () => {
  await using one = await bench(24 * HOUR_MS);
  await one.clock.advance(23.9 * HOUR_MS);
  expect(one.ended).toEqual([]);
  await one.clock.advance(0.2 * HOUR_MS);
  expect(one.ended).toEqual(["probe"]);
});

test("putting it back cancels that, and the next time the grace begins anew", async () => {
  await using one = await bench(24 * HOUR_MS);
  await one.clock.advance(20 * HOUR_MS);
  one.configured.add("probe");
  await one.clock.advance(HOUR_MS);
  one.configured.delete("probe");
  await one.clock.advance(20 * HOUR_MS);
  expect(one.ended).toEqual([]);
  await one.clock.advance(5 * HOUR_MS);
  expect(one.ended).toEqual(["probe"]);
});

test("the grace goes on over restarts of the service and of the Pi", async () => {
  await using one = await bench(24 * HOUR_MS);
  await one.clock.advance(10 * HOUR_MS);
  await one.restart();
  await one.clock.advance(10 * HOUR_MS);
  await one.restart("another boot");
  await one.clock.advance(3 * HOUR_MS);
  expect(one.ended).toEqual([]);
  await one.clock.advance(1.1 * HOUR_MS);
  expect(one.ended).toEqual(["probe"]);
});

test("`now` is at once, and `keep` never", async () => {
  await using now = await bench(0);
  await now.clock.advance(0);
  expect(now.ended).toEqual(["probe"]);
  await using keep = await bench(Number.POSITIVE_INFINITY);
  await keep.clock.advance(1000 * HOUR_MS);
  expect(keep.ended).toEqual([]);
});

test("a device that left before anything of it was published is ended, too, for what is kept of it", async () => {
  await using one = await bench(24 * HOUR_MS);
  one.small.meta.set("offset/shy", "3");
  one.small.newestOf.set("mute", new Map());
  one.configured.add("kept");
  one.small.meta.set("offset/kept", "3");
  await one.clock.advance(23.9 * HOUR_MS);
  expect(one.ended).toEqual([]);
  await one.clock.advance(0.2 * HOUR_MS);
  expect(one.ended).toEqual(["probe", "shy", "mute"]);
});
