import { describe, expect, test } from "vitest";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";

const plain = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

describe("SUBSCRIBE", () => {
  test("[MQTT-3.8.4-6] is answered with a reason for each filter, in order", async () => {
    await using broker = await openTestBroker({
      limits: { subscriptions: 5 },
      authorise: (_who, _access, topic) => topic !== "secret",
    });
    const filters = ["a", "secret", "$share/g/secret", "$share/g/a", "b", "c", "a", "d", "e"];
    const subscriptions = filters.map((filter, i) => ({ ...plain, filter, qos: (i % 3) as 0 | 1 | 2 }));
    const newer = await broker.join("newer", 5);
    newer.send({ type: "subscribe", packetId: 0x1234, subscriptions, properties: {} });
    const granted = [0, 0x87, 0x87, 0, 1, 2, 0, 1, 0x97];
    expect(await newer.nextOf("suback")).toMatchObject({ packetId: 0x1234, reasons: granted });
    const older = await broker.join("older", 4);
    older.send({ type: "subscribe", packetId: 1, subscriptions, properties: {} });
    expect((await older.nextOf("suback")).reasons).toEqual(granted.map((code) => Math.min(code, 0x80)));
  });

  test("[MQTT-3.8.4-3] with a filter that is there replaces the subscription", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a", { qos: 2 });
    await subscribe(peer, "a", { qos: 0 });
    peer.send(publishPacket("a", "x", { qos: 1 }));
    const publishes = (await peer.untilPong()).filter(({ type }) => type === "publish");
    expect(publishes).toMatchObject([{ qos: 0 }]);
    expect(broker.broker.stats().subscriptions).toBe(1);
  });

  test("[MQTT-3.3.4-2] [MQTT-3.3.4-4] overlapping filters give one message, at the highest QoS, with every identifier", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a/+", { qos: 0 }, { subscriptionIdentifiers: [1] });
    await subscribe(peer, "a/#", { qos: 1 }, { subscriptionIdentifiers: [300] });
    await subscribe(peer, "#", { qos: 0 });
    peer.send(publishPacket("a/b", "x", { qos: 2 }));
    const publishes = (await peer.untilPong()).filter((packet) => packet.type === "publish");
    expect(publishes).toHaveLength(1);
    expect(publishes[0]?.qos).toBe(1);
    expect(publishes[0]?.properties.subscriptionIdentifiers?.toSorted()).toEqual([1, 300]);
  });

  test("[MQTT-3.8.3-3] no local keeps a client's own messages from it, but not another's", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a", { noLocal: true });
    await subscribe(peer, "#", { noLocal: true });
    peer.send(publishPacket("a", "own", { qos: 1 }));
    expect(await peer.nextOf("puback")).toMatchObject({ reason: 0 });
    (await broker.join("other", 5)).send(publishPacket("a", "other"));
    expect((await peer.nextOf("publish")).payload.toString()).toBe("other");
  });

  test("[MQTT-3.3.1-12] [MQTT-3.3.1-13] RETAIN is kept for those who ask for it, and cleared for others", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a", { retainAsPublished: true });
    await subscribe(peer, "b");
    peer.send(publishPacket("a", "x", { retain: true }), publishPacket("b", "x", { retain: true }));
    expect(await peer.untilPong()).toMatchObject([
      { topic: "a", retain: true },
      { topic: "b", retain: false },
    ]);
  });

  test("[MQTT-3.10.4-1] [MQTT-3.10.4-5] UNSUBSCRIBE ends delivery and is answered for each filter", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a");
    peer.send({ type: "unsubscribe", packetId: 5, filters: ["a", "a", "b"], properties: {} });
    expect(await peer.nextOf("unsuback")).toMatchObject({ packetId: 5, reasons: [0, 0x11, 0x11] });
    peer.send(publishPacket("a", "x"));
    expect(await peer.untilPong()).toEqual([]);
    expect(broker.broker.stats().subscriptions).toBe(0);
  });

  test("[MQTT-4.7.2-1] a wildcard in the first level leaves out topics that begin with $", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    for (const filter of ["#", "+/a", "$x/#"]) await subscribe(peer, filter);
    peer.send(publishPacket("$x/a", "kept", { retain: true }), publishPacket("$y/a", "x", { retain: true }));
    expect(await peer.untilPong()).toMatchObject([{ topic: "$x/a" }]);
    await subscribe(peer, "#");
    await subscribe(peer, "+/a");
    expect(await peer.untilPong()).toEqual([]);
  });

  test("whoever may no longer read gets nothing", async () => {
    let allowed = true;
    await using broker = await openTestBroker({ authorise: (_who, access) => access === "write" || allowed });
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a");
    allowed = false;
    peer.send(publishPacket("a", "x"));
    expect(await peer.untilPong()).toEqual([]);
    expect(broker.broker.stats().dropped.denied).toBe(1);
  });
});
