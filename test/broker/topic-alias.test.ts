import { describe, expect, test } from "vitest";
import type { PublishPacket } from "../../src/broker/codec/packets.ts";
import type { Properties } from "../../src/broker/codec/properties.ts";
import { openTestBroker, subscribe, type TestBroker } from "./support/broker.ts";
import { type Peer, publishPacket } from "./support/peer.ts";

/** A client's view: what came, with the topic that it stands for. */
class Resolver {
  readonly #topics = new Map<number, string>();

  topicOf({ topic, properties: { topicAlias } }: PublishPacket): string | undefined {
    if (topicAlias === undefined) return topic;
    if (topic !== "") this.#topics.set(topicAlias, topic);
    return this.#topics.get(topicAlias);
  }
}

const takes = (topicAliasMaximum: number, properties: Properties = {}) => ({
  properties: { topicAliasMaximum, ...properties },
});

async function publishes(peer: Peer): Promise<PublishPacket[]> {
  return (await peer.untilPong()).filter((packet) => packet.type === "publish");
}

async function two(broker: TestBroker, with_: { properties: Properties }): Promise<[Peer, Peer]> {
  return [await broker.join("p", 5), await broker.join("s", 5, with_)];
}

async function told(publisher: Peer, ...packets: PublishPacket[]): Promise<void> {
  publisher.send(...packets);
  await publisher.untilPong();
}

describe("a topic alias towards a client", () => {
  test("is assigned with the topic and then stands for it, at every QoS", async () => {
    await using broker = await openTestBroker();
    const [publisher, subscriber] = await two(broker, takes(2));
    await subscribe(subscriber, "#", { qos: 2 });
    await told(publisher, publishPacket("some/topic", "0"), publishPacket("some/topic", "1", { qos: 1, packetId: 1 }));
    await told(publisher, publishPacket("other/topic", "2", { qos: 2, packetId: 2 }), publishPacket("some/topic", "3"));
    const got = await publishes(subscriber);
    expect(
      got.map(({ topic, properties, qos, packetId, payload }) => [
        topic,
        properties.topicAlias,
        qos,
        packetId,
        payload.toString(),
      ]),
    ).toEqual([
      ["some/topic", 1, 0, 0, "0"],
      ["", 1, 1, 1, "1"],
      ["other/topic", 2, 2, 2, "2"],
      ["", 1, 0, 0, "3"],
    ]);
  });

  test("is given to as many topics as the client takes, and no more than `topic_alias_maximum`", async () => {
    await using broker = await openTestBroker({ limits: { topicAliasMaximum: 3 } });
    const [publisher, few] = await two(broker, takes(2));
    const many = await broker.join("many", 5, takes(0xffff));
    for (const peer of [few, many]) await subscribe(peer, "#");
    const topics = ["a", "b", "c", "d", "a", "b", "c", "d"];
    await told(publisher, ...topics.map((topic) => publishPacket(`topic/${topic}`, "")));
    const aliases = async (peer: Peer) => (await publishes(peer)).map(({ properties }) => properties.topicAlias);
    expect(await aliases(few)).toEqual([1, 2, undefined, undefined, 1, 2, undefined, undefined]);
    expect(await aliases(many)).toEqual([1, 2, 3, undefined, 1, 2, 3, undefined]);
  });

  test("leaves alone what others get of the same message, properties and payload included", async () => {
    await using broker = await openTestBroker();
    const [publisher, subscriber] = await two(broker, takes(5));
    const [plain, old] = [await broker.join("plain", 5), await broker.join("old", 4)];
    for (const peer of [subscriber, plain, old])
      await subscribe(peer, "#", { qos: 1 }, peer === old ? {} : { subscriptionIdentifiers: [300] });
    const properties: Properties = {
      contentType: "t".repeat(120),
      userProperties: [["k", "v"]],
      messageExpiryInterval: 90,
    };
    for (let i = 0; i < 2; i++) {
      await told(publisher, publishPacket("some/topic", "payload", { qos: 1, packetId: 1, properties }));
      broker.timers.advance(10_000);
      await told(publisher, publishPacket("some/topic", "payload", { properties }));
    }
    const all = { subscriptionIdentifiers: [300], ...properties };
    for (const { payload, ...got } of await publishes(subscriber)) {
      expect(got.properties).toEqual({ ...all, topicAlias: 1 });
      expect(payload.toString()).toBe("payload");
    }
    const others = await publishes(plain);
    expect(others.map(({ topic, properties: theirs }) => [topic, theirs])).toEqual(
      others.map(() => ["some/topic", all]),
    );
    expect((await publishes(old)).map(({ topic }) => topic)).toEqual(new Array(4).fill("some/topic"));
  });

  test("also stands for the topic of retained and queued messages, and is fresh in each connection", async () => {
    await using broker = await openTestBroker();
    const [publisher, subscriber] = await two(broker, takes(1, { sessionExpiryInterval: 100 }));
    await told(publisher, publishPacket("a/retained", "r", { retain: true }));
    await subscribe(subscriber, "a/+", { qos: 1 });
    expect((await publishes(subscriber)).map(({ topic, properties }) => [topic, properties.topicAlias])).toEqual([
      ["a/retained", 1],
    ]);
    subscriber.socket.destroy();
    await expect.poll(() => broker.broker.stats().clients).toBe(1);
    for (let i = 0; i < 3; i++) await told(publisher, publishPacket("a/b", "", { qos: 1, packetId: 1 }));
    const again = await broker.join("s", 5, { cleanStart: false, ...takes(1) });
    expect((await publishes(again)).map(({ topic, properties }) => [topic, properties.topicAlias])).toEqual([
      ["a/b", 1],
      ["", 1],
      ["", 1],
    ]);
  });

  test("[MQTT-3.1.2-24] is left out where the packet would be larger for it than the client takes", async () => {
    await using broker = await openTestBroker();
    const [publisher, subscriber] = await two(broker, takes(5, { maximumPacketSize: 160 }));
    await subscribe(subscriber, "#");
    for (let length = 100; length < 160; length++) await told(publisher, publishPacket("t", "x".repeat(length)));
    const got = await publishes(subscriber);
    // Fixed header, topic, property length and payload are at most 160 bytes.
    expect(got.map(({ payload }) => payload.length)).toEqual(Array.from({ length: 54 }, (_, i) => 100 + i));
    expect(got.filter(({ properties }) => properties.topicAlias === undefined).length).toBeGreaterThan(0);
    expect(got.filter(({ properties }) => properties.topicAlias === 1).length).toBeGreaterThan(40);
  });

  test("resolves to what was published, whatever comes", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 3 } });
    const [publisher, subscriber] = await two(broker, takes(4));
    await subscribe(subscriber, "#", { qos: 2 });
    const resolver = new Resolver();
    const sent = Array.from({ length: 300 }, (_, i) => `${"level/".repeat((i * 7) % 50)}${(i * i) % 9}`);
    sent.forEach((topic, i) => {
      publisher.send(publishPacket(topic, topic, { qos: i % 2 === 0 ? 0 : 1, packetId: i % 2 === 0 ? 0 : i }));
    });
    let aliased = 0;
    for (let i = 0; i < sent.length; i++) {
      const packet = await subscriber.nextOf("publish");
      expect(resolver.topicOf(packet)).toBe(packet.payload.toString());
      if (packet.topic === "") aliased++;
      if (packet.qos === 1) subscriber.send({ type: "puback", packetId: packet.packetId, reason: 0, properties: {} });
    }
    expect(aliased).toBeGreaterThan(0);
  });
});
