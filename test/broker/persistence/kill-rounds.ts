import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { connectPacket, Peer } from "../support/peer.ts";
import { Publisher, Subscriber } from "./model-clients.ts";
import { BrokerProcess } from "./process.ts";

export async function retainedNow(port: number): Promise<Map<string, number>> {
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

/**
 * kill -9 of the broker at so many random moments, under load: throws when something acknowledged is lost for a persistent
 * session, repeated at QoS 2, or older than what was retained last. How many messages were acknowledged.
 */
export async function killRounds(
  window: string,
  rounds: number,
): Promise<{ readonly atQos1: number; readonly atQos2: number; readonly repeatedAtQos1: number }> {
  await using broker = new BrokerProcess(window);
  const publisher = new Publisher("publisher");
  const subscribers = [new Subscriber("one", "q1", 1), new Subscriber("two", "q2", 2)] as const;
  for (let round = 0; round < rounds; round++) {
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
  expect(acknowledged[1].size).toBeGreaterThan(rounds);
  expect(broker.errors).toBe("");
  for (const client of [publisher, ...subscribers]) client.leave();
  await Promise.all(lives);
  return {
    atQos1: acknowledged[1].size,
    atQos2: acknowledged[2].size,
    repeatedAtQos1: one.received.length - new Set(one.received).size,
  };
}
