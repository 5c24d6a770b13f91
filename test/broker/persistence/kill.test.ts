import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { connectPacket, Peer } from "../support/peer.ts";
import { Publisher, Subscriber } from "./model-clients.ts";
import { BrokerProcess } from "./process.ts";

/** `FIELDPOST_KILLS=1000` for a campaign. */
const ROUNDS = Number(process.env.FIELDPOST_KILLS ?? 20);

async function retainedNow(port: number): Promise<Map<string, number>> {
  const peer = new Peer({ host: "127.0.0.1", port }, 5);
  peer.send(connectPacket({ clientId: "reader", version: 5 }));
  await peer.nextOf("connack");
  const request = { filter: "r/#", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  peer.send({ type: "subscribe", packetId: 1, subscriptions: [request], properties: {} });
  await peer.nextOf("suback");
  const packets = await peer.untilPong();
  peer[Symbol.dispose]();
  return new Map(
    packets.flatMap((one) => (one.type === "publish" ? [[one.topic, Number(one.payload.toString())]] : [])),
  );
}

describe.each(["0s", "1s"])("kill -9 of the broker with a persistence window of %s", (window) => {
  test(`at ${ROUNDS} random moments loses nothing that was acknowledged, and repeats nothing at QoS 2`, {
    timeout: 30_000 + ROUNDS * 3000,
  }, async () => {
    await using broker = new BrokerProcess(window);
    const publisher = new Publisher("publisher");
    const subscribers = [new Subscriber("one", "q1", 1), new Subscriber("two", "q2", 2)] as const;
    for (let round = 0; round < ROUNDS; round++) {
      await broker.start();
      const retained = await retainedNow(broker.port);
      for (const [topic, n] of publisher.retained) expect(retained.get(topic)).toBeGreaterThanOrEqual(n);
      // Now and then the subscribers are away, but for the first time.
      const present = round % 3 === 1 && subscribers.every(({ isKnown }) => isKnown) ? [] : subscribers;
      const lives = present.map((one) => one.live(broker.port));
      while (!subscribers.every(({ isKnown }) => isKnown)) await sleep(1);
      const publishing = publisher.live(broker.port);
      await sleep(Math.random() * 300);
      broker.signal("SIGKILL");
      await Promise.all([...lives, publishing, broker.ended()]);
    }

    await broker.start();
    publisher.isQuiet = true;
    const lives = [publisher, ...subscribers].map((one) => one.live(broker.port));
    const [one, two] = subscribers;
    const { acknowledged } = publisher;
    const all = () => {
      const [ones, twos] = [new Set(one.received), new Set(two.received)];
      return (
        publisher.isDone &&
        [...acknowledged[1]].every((n) => ones.has(n)) &&
        [...acknowledged[2]].every((n) => twos.has(n))
      );
    };
    for (let waitedMs = 0; !all() && waitedMs < 10_000; waitedMs += 50) await sleep(50);
    const missing = (qos: 1 | 2, got: readonly number[]) => {
      const there = new Set(got);
      return [...acknowledged[qos]].filter((n) => !there.has(n));
    };
    expect(missing(1, one.received)).toEqual([]);
    expect(missing(2, two.received)).toEqual([]);
    expect(two.received.length).toBe(new Set(two.received).size);
    expect(two.received).toEqual([...two.received].sort((a, b) => a - b));
    expect(acknowledged[1].size).toBeGreaterThan(ROUNDS);
    expect(broker.errors).toBe("");
    for (const client of [publisher, ...subscribers]) client.leave();
    await Promise.all(lives);
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
