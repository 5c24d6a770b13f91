import { describe, expect, test } from "vitest";
import type { Packet } from "../../src/broker/codec/packets.ts";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";

function payloads(packets: readonly Packet[]): string[] {
  return packets.flatMap((packet) => (packet.type === "publish" ? [packet.payload.toString()] : []));
}

describe("retained messages", () => {
  test("[MQTT-3.3.1-5] the last one of a topic is given to a later subscriber, with RETAIN set", async () => {
    await using broker = await openTestBroker();
    const publisher = await broker.join("publisher", 5);
    publisher.send(publishPacket("a/b", "old", { retain: true }));
    publisher.send(publishPacket("a/b", "new", { retain: true, qos: 1 }), publishPacket("a/b", "passing"));
    await publisher.untilPong();
    for (const [filter, qos] of [
      ["a/b", 0],
      ["a/+", 1],
      ["a/b/#", 2],
      ["#", 1],
    ] as const) {
      const subscriber = await broker.join("subscriber", 4);
      await subscribe(subscriber, filter, { qos });
      const expected = { topic: "a/b", retain: true, qos: Math.min(qos, 1) };
      expect(await subscriber.untilPong()).toMatchObject([expected]);
    }
  });

  test("[MQTT-3.3.1-6] [MQTT-3.3.1-7] an empty one clears the topic and is passed on as a message", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    peer.send(publishPacket("a", "x", { retain: true }));
    await subscribe(peer, "a");
    expect(payloads(await peer.untilPong())).toEqual(["x"]);
    peer.send(publishPacket("a", "", { retain: true }));
    expect(await peer.untilPong()).toMatchObject([{ retain: false }]);
    await subscribe(peer, "a");
    expect(await peer.untilPong()).toEqual([]);
    expect(broker.broker.stats()).toMatchObject({ retainedMessages: 0, retainedBytes: 0 });
  });

  test("[MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] retain handling says who gets them", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    peer.send(publishPacket("a", "x", { retain: true }));
    const given = async (retainHandling: 0 | 1 | 2) => {
      await subscribe(peer, "a", { retainHandling });
      return (await peer.untilPong()).length;
    };
    expect([await given(2), await given(1), await given(0), await given(0)]).toEqual([0, 0, 1, 1]);
    peer.send({ type: "unsubscribe", packetId: 1, filters: ["a"], properties: {} });
    await peer.nextOf("unsuback");
    expect(await given(1)).toBe(1);
  });

  test("more of them than a client's queue holds all arrive, as fast as it acknowledges", async () => {
    await using broker = await openTestBroker({ limits: { queuedMessages: 5, inflightMessages: 3 } });
    const publisher = await broker.join("publisher", 5);
    for (let i = 0; i < 100; i++) publisher.send(publishPacket(`t/${i}`, `${i}`, { retain: true, qos: 1 }));
    for (let i = 0; i < 100; i++) await publisher.nextOf("puback");
    const subscriber = await broker.join("subscriber", 5);
    await subscribe(subscriber, "t/+", { qos: 1 });
    const seen: string[] = [];
    while (seen.length < 100) {
      const { packetId, payload } = await subscriber.nextOf("publish");
      seen.push(payload.toString());
      subscriber.send({ type: "puback", packetId, reason: 0, properties: {} });
    }
    expect(new Set(seen).size).toBe(100);
    expect(broker.broker.stats().dropped.queueFull).toBe(0);
  });

  test("one that is replaced while it waits to be given is not given after the new one", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 1 } });
    const publisher = await broker.join("publisher", 5);
    for (const topic of ["a", "b"]) publisher.send(publishPacket(topic, "old", { retain: true, qos: 1 }));
    await publisher.untilPong();
    const subscriber = await broker.join("subscriber", 5);
    await subscribe(subscriber, "+", { qos: 1 });
    const first = await subscriber.nextOf("publish");
    publisher.send(publishPacket("b", "new", { retain: true, qos: 1 }));
    await publisher.untilPong();
    subscriber.send({ type: "puback", packetId: first.packetId, reason: 0, properties: {} });
    const second = await subscriber.nextOf("publish");
    subscriber.send({ type: "puback", packetId: second.packetId, reason: 0, properties: {} });
    expect([first.topic, second.topic, second.payload.toString()]).toEqual(["a", "b", "new"]);
    expect(await subscriber.untilPong()).toEqual([]);
  });

  test.each([
    ["messages", { retainedMessages: 2 }],
    ["bytes", { retainedBytes: 640 }],
  ])("past the limit of %s a new one is delivered but refused with 0x97", async (_what, limits) => {
    await using broker = await openTestBroker({ limits });
    const peer = await broker.join("p", 5);
    const publish = async (topic: string, payload: string) => {
      peer.send(publishPacket(topic, payload.padEnd(100), { retain: true, qos: 1 }));
      return (await peer.nextOf("puback")).reason;
    };
    expect([await publish("a", "1"), await publish("b", "1"), await publish("c", "1")]).toEqual([0x10, 0x10, 0x97]);
    expect(await publish("a", "2")).toBe(0x10);
    peer.send(publishPacket("b", "", { retain: true }));
    expect(await publish("c", "2")).toBe(0x10);
    await subscribe(peer, "#");
    expect(payloads(await peer.untilPong()).map((payload) => payload.trim())).toEqual(["2", "2"]);
  });
});
