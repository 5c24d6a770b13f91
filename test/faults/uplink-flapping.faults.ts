import { connectAsync } from "mqtt";
import { expect, test } from "vitest";
import { startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "../uplink/bench.ts";
import { figures, rounds } from "./campaign.ts";
import { Witness } from "./witness.ts";

const SECONDS = rounds(600, 20);
const WINDOW = 100;
/** Mosquitto's own to one client: what it repeats to the witness is none of ours. */
const BROKER_IN_FLIGHT = 20;

test("a broker that goes and comes back every second: nothing missing, no reorder, few duplicates", async () => {
  await using broker = await startMosquitto({ persistence: true, global: ["max_queued_messages 0"] });
  const witness = new Witness();
  const client = await connectAsync(broker.url, {
    ...{ protocolVersion: 5, clientId: "witness", clean: false, reconnectPeriod: 50 },
    properties: { sessionExpiryInterval: 3600 },
  });
  client.on("error", () => {});
  client.on("message", (_topic, payload) => witness.take(payload.toString()));
  await client.subscribeAsync(topics.device("d1").readings, { qos: 1 });
  await using one = bench({ urls: [broker.url], window: WINDOW });
  let sampled = 0;
  const sampling = setInterval(() => one.sample("d1", ++sampled), 5);
  let turns = 0;
  for (const started = performance.now(); performance.now() - started < SECONDS * 1000; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await broker.stop("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 300));
    await broker.start();
  }
  clearInterval(sampling);
  await waitFor(() => one.store.counters().pending === 0, "everything delivered", 120_000);
  await waitFor(() => witness.distinct === sampled, "everything seen", 120_000);
  await client.endAsync(true);
  witness.expectAllInOrder(sampled);
  expect(one.store.counters()).toMatchObject({ delivered: sampled, dropped: {} });
  const reconnects = one.log.lines.filter(({ message }) => message === "connected to the broker").length - 1;
  expect(reconnects).toBeGreaterThan(turns / 4);
  expect(witness.duplicates).toBeLessThanOrEqual((reconnects + 1) * WINDOW + turns * BROKER_IN_FLIGHT);
  const { duplicates } = witness;
  figures("broker flapping", { seconds: SECONDS, turns, reconnects, sampled, missing: 0, reordered: 0, duplicates });
});
