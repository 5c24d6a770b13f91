import { expect, test } from "vitest";
import { createLifecycle, type LifecycleParts } from "../../src/wiring/lifecycle/lifecycle.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";
import { SmallStore } from "../fakes/small-store.ts";
import { MemoryStore } from "../fakes/store.ts";

/** A gateway's lifecycle over an uplink that lasts until it is told to stop, or until it fails. */
function bench() {
  const clock = new FakeClock();
  const store = Object.assign(new SmallStore(), new MemoryStore());
  const stopper = new AbortController();
  const uplink = { ended: false, fail: (_error: Error): void => undefined };
  const run = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      uplink.fail = reject;
      signal.addEventListener("abort", () => resolve(), { once: true });
    }).finally(() => {
      uplink.ended = true;
    });
  const parts = {
    clock,
    store,
    gateway: { id: "gw" },
    log: fakeLog(),
    options: {},
    uplink: { run, broker: () => "b:1" },
    config: () => ({ devices: [], removedDevices: { graceMs: 60_000 } }),
  };
  const lifecycle = createLifecycle(parts as unknown as LifecycleParts);
  return { clock, store, uplink, stopper, running: lifecycle.run(stopper.signal) };
}

test("a part of the lifecycle that fails stops the uplink, and its error comes out", async () => {
  const { clock, store, uplink, running } = bench();
  const failed = expect(running).rejects.toThrow("the ledger is broken");
  await clock.advance(1000);
  store.ledger.topics = () => Promise.reject(new Error("the ledger is broken"));
  await clock.advance(60_000);
  await failed;
  expect(uplink.ended).toBe(true);
});

test("an uplink that fails ends the others, and its error comes out", async () => {
  const { clock, store, uplink, running } = bench();
  await clock.advance(1000);
  uplink.fail(new Error("the uplink is broken"));
  await expect(running).rejects.toThrow("the uplink is broken");
  let looks = 0;
  store.ledger.topics = async () => {
    looks++;
    return [];
  };
  await clock.advance(120_000);
  expect(looks).toBe(0);
});

test("all of it ends with the signal", async () => {
  const { uplink, stopper, running } = bench();
  stopper.abort();
  await running;
  expect(uplink.ended).toBe(true);
});
