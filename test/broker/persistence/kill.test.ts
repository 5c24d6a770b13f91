import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Chance } from "../../support/numbers.ts";
import { OwnAccount } from "../model/accounts.ts";
import { Publisher } from "../model/publisher.ts";
import { retainedNow } from "../model/retained.ts";
import { Streams } from "../model/streams.ts";
import { Subscriber } from "../model/subscriber.ts";
import { connectPacket, Peer } from "../support/peer.ts";
import { killRounds } from "./kill-rounds.ts";
import { BrokerProcess } from "./process.ts";

describe.each(["0s", "5s"])("kill -9 of the broker with a persistence window of %s", (window) => {
  test("at 20 random moments loses nothing that was acknowledged, repeats nothing at QoS 2, and publishes wills", {
    timeout: 300_000,
  }, async () => {
    const { atQos1, atQos2, wills } = await killRounds(window, 20, Date.now());
    expect(Math.min(atQos1, atQos2)).toBeGreaterThan(20);
    expect(wills).toBeGreaterThan(0);
  });
});

test("a power cut without a window loses nothing that was acknowledged", { timeout: 300_000 }, async () => {
  await using broker = new BrokerProcess("0s");
  await broker.start();
  const chance = new Chance(Date.now());
  const streams = new Streams();
  const subscriber = (account: OwnAccount) =>
    new Subscriber("one", 5, "q/#", {
      subscribed: () => account.subscribed(),
      take: ({ topic, payload }) => void account.take(streams.of(topic), Number(payload)),
    });
  const away = subscriber(new OwnAccount("one", streams, "q/"));
  const subscribing = away.live(broker.port);
  while (!away.isKnown) await sleep(1);
  away.vanish();
  await subscribing;
  const publisher = new Publisher("p", 5, streams, (from) => chance.pick(from));
  const publishing = publisher.live(broker.port);
  for (let round = 0; round < 5; round++) {
    await sleep(chance.below(200));
    const promised = streams.matching("q/").map((stream) => ({ stream, n: stream.acknowledged }));
    broker.signal("SIGSTOP");
    await using copy = broker.copy();
    broker.signal("SIGCONT");
    await copy.start();
    const account = new OwnAccount("one", streams, "q/");
    const after = subscriber(account);
    after.isKnown = true;
    const receiving = after.live(copy.port);
    const isThere = () => promised.every(({ stream, n }) => n === 0 || account.upTo(stream) >= n);
    for (let waitedMs = 0; !isThere() && waitedMs < 15_000; waitedMs += 20) await sleep(20);
    expect(isThere()).toBe(true);
    after.vanish();
    await receiving;
  }
  publisher.vanish();
  await publishing;
});

test("after kill -9 the will of a client that does not return is published", { timeout: 120_000 }, async () => {
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
  expect(retained.get("r/will")).toBe("7");
});
