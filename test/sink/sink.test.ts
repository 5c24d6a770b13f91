import { expect, test } from "vitest";
import { openBroker } from "../../src/broker/broker.ts";
import { linuxClock } from "../../src/hardware/clock.ts";
import { quiet } from "../store/fixture.ts";
import { freePort, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { type Bench, bench } from "../uplink/bench.ts";
import { type SinkProcess, sinkProcess } from "./support.ts";

const QUEUE = 100;
const CONSUMER = "archive";
const MISSED = 600;

function sample(one: Bench, count: number): void {
  for (let value = 1; value <= count; value++) one.sample("d1", value);
}

/** The sink has everything, each once, and the gateway knows. */
async function complete(one: Bench, sink: SinkProcess, count: number): Promise<void> {
  await waitFor(() => one.store.counters(CONSUMER).pending === 0, "all of it confirmed", 25_000);
  expect(sink.kept()).toEqual(Array.from({ length: count }, (_, index) => ({ epoch: 1, seq: index + 1 })));
}

/** Away for longer than the broker's queue, and killed when it comes back. */
async function awayAndBack(url: string): Promise<void> {
  await using sink = sinkProcess(url, CONSUMER);
  await using one = bench({ urls: [url], consumers: [CONSUMER], receiptTimeoutMs: 2000 });
  await sink.start();
  sample(one, 20);
  await waitFor(() => one.store.counters(CONSUMER).pending === 0);
  await sink.stop("SIGKILL");
  sample(one, MISSED);
  await waitFor(() => one.store.counters().pending === 0, "the broker has everything", 15_000);
  expect(one.store.counters(CONSUMER).pending).toBe(MISSED);
  await sink.start();
  await waitFor(() => one.store.counters(CONSUMER).pending < MISSED - QUEUE / 2);
  await sink.stop("SIGKILL");
  await sink.start();
  await complete(one, sink, 20 + MISSED);
  await sink.stop("SIGTERM");
  expect(sink.out()).toContain(`gw1: ${20 + MISSED} readings, complete to 1/${20 + MISSED}; 0 known to be lost`);
}

test("nothing is missing at a consumer that was away for longer than Mosquitto's queue, and was killed twice", async () => {
  await using broker = await startMosquitto({ global: [`max_queued_messages ${QUEUE}`] });
  await awayAndBack(broker.url);
}, 90_000);

test("nor with the bundled broker", async () => {
  const port = await freePort();
  await using _broker = await openBroker(
    { listeners: [{ address: "127.0.0.1", port }], limits: { queuedMessages: QUEUE } },
    { clock: linuxClock(), log: quiet },
  );
  await awayAndBack(`mqtt://127.0.0.1:${port}`);
}, 90_000);

test("a hole is asked for, and what the gateway does not have any more is known to be lost", async () => {
  await using broker = await startMosquitto();
  await using sink = sinkProcess(broker.url, CONSUMER);
  // It does not know of the consumer, so it sends nothing again by itself.
  await using one = bench({ urls: [broker.url] });
  sample(one, 10);
  await waitFor(() => one.store.counters().pending === 0);
  const { outbox } = one.store;
  const held = outbox.range.bind(outbox);
  outbox.range = async (...range) => (await held(...range)).filter(({ seq }) => seq < 3 || seq > 5);
  await sink.start();
  sample(one, 1);
  await waitFor(() => sink.kept().length === 8, "what is held", 30_000);
  expect(sink.kept().map(({ seq }) => seq)).toEqual([1, 2, 6, 7, 8, 9, 10, 11]);
  await sink.stop("SIGTERM");
  expect(sink.out()).toContain("gw1: 8 readings, complete to 1/11; 3 known to be lost");
}, 90_000);
