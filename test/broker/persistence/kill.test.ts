import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { connectPacket, Peer } from "../support/peer.ts";
import { killRounds, retainedNow } from "./kill-rounds.ts";
import { Publisher, Subscriber } from "./model-clients.ts";
import { BrokerProcess } from "./process.ts";

describe.each(["0s", "1s"])("kill -9 of the broker with a persistence window of %s", (window) => {
  test("at 20 random moments loses nothing that was acknowledged, and repeats nothing at QoS 2", {
    timeout: 300_000,
  }, async () => {
    const { atQos1 } = await killRounds(window, 20);
    expect(atQos1).toBeGreaterThan(20);
  });
});

test("a power cut without a window loses nothing that was acknowledged", { timeout: 60_000 }, async () => {
  await using broker = new BrokerProcess("0s");
  await broker.start();
  const away = new Subscriber("one", "q1", 1);
  const subscribing = away.live(broker.port);
  while (!away.isKnown) await sleep(1);
  away.leave();
  await subscribing;
  const publisher = new Publisher("publisher");
  const publishing = publisher.live(broker.port);
  for (let round = 0; round < 5; round++) {
    await sleep(Math.random() * 200);
    const promised = [...publisher.acknowledged[1]];
    broker.signal("SIGSTOP");
    await using copy = broker.copy();
    broker.signal("SIGCONT");
    await copy.start();
    const after = new Subscriber("one", "q1", 1);
    after.isKnown = true;
    const receiving = after.live(copy.port);
    for (let waitedMs = 0; after.received.length < promised.length && waitedMs < 5000; waitedMs += 20) await sleep(20);
    const there = new Set(after.received);
    expect(promised.filter((n) => !there.has(n))).toEqual([]);
    after.leave();
    await receiving;
  }
  publisher.leave();
  await publishing;
});

test("after kill -9 the will of a client that does not return is published", { timeout: 30_000 }, async () => {
  await using broker = new BrokerProcess("1s");
  await broker.start();
  const peer = new Peer({ host: "127.0.0.1", port: broker.port }, 4);
  const will = { topic: "r/will", payload: Buffer.from("7"), qos: 1, retain: true, properties: {} } as const;
  peer.send(connectPacket({ clientId: "with-will", version: 4, will }));
  await peer.nextOf("connack");
  broker.signal("SIGKILL");
  await broker.ended();
  peer[Symbol.dispose]();
  await broker.start();
  let retained = await retainedNow(broker.port);
  for (let waitedMs = 0; !retained.has("r/will") && waitedMs < 20_000; waitedMs += 500) {
    await sleep(500);
    retained = await retainedNow(broker.port);
  }
  expect(retained.get("r/will")).toBe(7);
});
