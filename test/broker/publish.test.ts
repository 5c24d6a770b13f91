import { describe, expect, test } from "vitest";
import type { Version } from "../../src/broker/codec/packets.ts";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";

const versions = [4, 5] as const satisfies readonly Version[];

describe("PUBLISH", () => {
  test.each(versions)("[MQTT-3.8.4-8] goes out at the lower of both QoS (protocol level %i)", async (version) => {
    await using broker = await openTestBroker();
    const publisher = await broker.join("publisher", version);
    const subscriber = await broker.join("subscriber", version);
    for (const qos of [0, 1, 2] as const) await subscribe(subscriber, `q${qos}`, { qos });
    for (const granted of [0, 1, 2] as const)
      for (const qos of [0, 1, 2] as const) {
        publisher.send(publishPacket(`q${granted}`, "x", { qos }));
        if (qos === 2) {
          await publisher.nextOf("pubrec");
          publisher.send({ type: "pubrel", packetId: 1, reason: 0, properties: {} });
          await publisher.nextOf("pubcomp");
        } else if (qos === 1) await publisher.nextOf("puback");
        expect(await subscriber.nextOf("publish")).toMatchObject({ qos: Math.min(granted, qos), dup: false });
      }
  });

  test("[MQTT-4.3.2-4] QoS 1 is acknowledged with its packet identifier; 0x10 says that nobody is subscribed", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    peer.send(publishPacket("a", "1", { qos: 1, packetId: 0xabcd }));
    expect(await peer.nextOf("puback")).toMatchObject({ packetId: 0xabcd, reason: 0x10 });
    await subscribe(await broker.join("s", 5), "a");
    peer.send(publishPacket("a", "1", { qos: 1, packetId: 3 }));
    expect(await peer.nextOf("puback")).toMatchObject({ packetId: 3, reason: 0 });
  });

  test("[MQTT-4.3.3-10] a QoS 2 message that is repeated before its release is published once", async () => {
    await using broker = await openTestBroker();
    const publisher = await broker.join("publisher", 5);
    const subscriber = await broker.join("subscriber", 5);
    await subscribe(subscriber, "a");
    const message = publishPacket("a", "once", { qos: 2, packetId: 9 });
    publisher.send(message, { ...message, dup: true });
    await publisher.nextOf("pubrec");
    await publisher.nextOf("pubrec");
    publisher.send({ type: "pubrel", packetId: 9, reason: 0, properties: {} });
    expect(await publisher.nextOf("pubcomp")).toMatchObject({ packetId: 9, reason: 0 });
    publisher.send({ type: "pubrel", packetId: 9, reason: 0, properties: {} });
    expect(await publisher.nextOf("pubcomp")).toMatchObject({ packetId: 9, reason: 0 });
    expect(await subscriber.untilPong()).toHaveLength(1);
  });

  test("[MQTT-4.3.3-4] a QoS 2 delivery takes PUBREC, PUBREL and PUBCOMP", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 1 } });
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a", { qos: 2 });
    peer.send(publishPacket("a", "1", { qos: 2, packetId: 1 }), publishPacket("a", "2", { qos: 2, packetId: 2 }));
    const packets = await peer.untilPong();
    const first = packets.find((packet) => packet.type === "publish");
    expect(packets.map(({ type }) => type).sort()).toEqual(["publish", "pubrec", "pubrec"]);
    peer.send({ type: "pubrec", packetId: first?.packetId ?? 0, reason: 0, properties: {} });
    expect(await peer.nextOf("pubrel")).toMatchObject({ packetId: first?.packetId, reason: 0 });
    expect(await peer.untilPong()).toEqual([]);
    peer.send({ type: "pubcomp", packetId: first?.packetId ?? 0, reason: 0, properties: {} });
    expect((await peer.nextOf("publish")).payload.toString()).toBe("2");
  });

  test("[MQTT-3.3.4-7] a client beyond the receive maximum is disconnected with 0x93", async () => {
    await using broker = await openTestBroker({ limits: { receiveMaximum: 2 } });
    const peer = await broker.join("p", 5);
    for (const packetId of [1, 2, 3]) peer.send(publishPacket("a", "x", { qos: 2, packetId }));
    await peer.nextOf("pubrec");
    await peer.nextOf("pubrec");
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x93 });
  });

  test("[MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-20] its properties are forwarded unaltered", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a");
    const properties = {
      payloadFormatIndicator: true,
      contentType: "text/plain",
      responseTopic: "answer/here",
      correlationData: Buffer.from([0, 1, 2]),
      userProperties: [
        ["k", "1"],
        ["k", "2"],
      ] as [string, string][],
    };
    peer.send(publishPacket("a", "x", { properties }));
    expect((await peer.nextOf("publish")).properties).toEqual(properties);
  });

  test("subscription identifiers go before its properties, what is left of its expiry behind them", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "a", {}, { subscriptionIdentifiers: [5] });
    peer.sendHex("30 13 0001 61 0e 0200000064 230001 030001 74 0101 78");
    peer.send({ type: "disconnect", reason: 0, properties: {} });
    expect((await peer.untilClosed()).toString("hex")).toBe(
      "3012000161" + "0d" + "0b05" + "03000174" + "0101" + "0200000064" + "78",
    );
  });

  test("[MQTT-3.3.2-4] one whose payload is not the UTF-8 it says it is is refused with 0x99", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    const watcher = await broker.join("watcher", 5);
    await subscribe(watcher, "#");
    const properties = { payloadFormatIndicator: true };
    const broken = { ...publishPacket("a", "", { properties }), payload: Buffer.from([0xc3, 0x28]) };
    peer.send(
      { ...broken, qos: 1, packetId: 1 },
      { ...broken, qos: 2, packetId: 2 },
      publishPacket("a", "é", { properties }),
    );
    expect(await peer.nextOf("puback")).toMatchObject({ packetId: 1, reason: 0x99 });
    expect(await peer.nextOf("pubrec")).toMatchObject({ packetId: 2, reason: 0x99 });
    expect((await watcher.nextOf("publish")).payload.toString()).toBe("é");
    peer.send(broken);
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x99 });
    expect(await watcher.untilPong()).toEqual([]);
  });

  test("nobody may write to the broker's own topics", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "$SYS/#");
    peer.send(publishPacket("$SYS/a", "x", { qos: 1 }), publishPacket("$SYS/a", "x", { qos: 2, packetId: 2 }));
    expect(await peer.nextOf("puback")).toMatchObject({ reason: 0x87 });
    expect(await peer.nextOf("pubrec")).toMatchObject({ reason: 0x87 });
    expect(await peer.untilPong()).toEqual([]);
  });

  test("a client that publishes faster than it may is disconnected with 0x96", async () => {
    await using broker = await openTestBroker({ limits: { publishRate: 2 } });
    const peer = await broker.join("p", 5);
    for (const payload of ["1", "2"]) peer.send(publishPacket("a", payload));
    await peer.untilPong();
    broker.timers.advance(500);
    peer.send(publishPacket("a", "3"));
    await peer.untilPong();
    peer.send(publishPacket("a", "4"));
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x96 });
  });

  test("a client subscribed to itself hears PUBREC before its own message at QoS 2", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 4);
    await subscribe(peer, "a", { qos: 2 });
    peer.send(publishPacket("a", "x", { qos: 2 }));
    expect((await peer.untilPong()).map(({ type }) => type)).toEqual(["pubrec", "publish"]);
  });

  test("a 3.1.1 subscriber gets a 5.0 message without its properties, and the other way round", async () => {
    await using broker = await openTestBroker();
    const older = await broker.join("older", 4);
    const newer = await broker.join("newer", 5);
    await subscribe(older, "a", { qos: 1 });
    await subscribe(newer, "a", { qos: 1 });
    newer.send(publishPacket("a", "x", { properties: { contentType: "t" } }));
    expect(await older.nextOf("publish")).toMatchObject({ properties: {} });
    expect(await newer.nextOf("publish")).toMatchObject({ properties: { contentType: "t" } });
    older.send(publishPacket("a", "y"));
    expect(await older.nextOf("publish")).toMatchObject({ properties: {} });
    expect((await newer.nextOf("publish")).payload.toString()).toBe("y");
  });

  test("[MQTT-3.3.2-12] a topic alias stands for the topic it was last given", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    await subscribe(peer, "#");
    peer.send(publishPacket("one", "1", { properties: { topicAlias: 1, contentType: "t" } }));
    peer.send(publishPacket("", "2", { properties: { topicAlias: 1 } }));
    peer.send(publishPacket("two", "3", { properties: { topicAlias: 1 } }));
    peer.send(publishPacket("", "4", { properties: { contentType: "t", topicAlias: 1 } }));
    const packets = await peer.untilPong();
    expect(packets.map((p) => p.type === "publish" && [p.topic, p.payload.toString(), p.properties])).toEqual([
      ["one", "1", { contentType: "t" }],
      ["one", "2", {}],
      ["two", "3", {}],
      ["two", "4", { contentType: "t" }],
    ]);
  });

  test.each([
    ["[MQTT-3.3.2-9] a topic alias above the maximum", "a", { topicAlias: 11 }, 0x94],
    ["a topic alias that was not assigned", "", { topicAlias: 5 }, 0x82],
    ["[MQTT-3.3.4-6] a subscription identifier", "a", { subscriptionIdentifiers: [1] }, 0x82],
  ])("%s is refused", async (_what, topic, properties, reason) => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    peer.send(publishPacket(topic, "x", { properties }));
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason });
  });

  test.each([
    ["a packet that is too large", "30 c1843d", 0x95],
    ["a topic of too many levels", `30 cc01 00c9 ${"2f".repeat(201)} 00`, 0x81],
    ["a topic that is not UTF-8", "30 05 0002 c328 00", 0x81],
    ["a packet that only a server sends", "20 03 000000", 0x82],
    ["[MQTT-4.12.0-7] AUTH without a method", "f0 00", 0x82],
  ])("%s ends the connection with its reason", async (_what, hex, reason) => {
    await using broker = await openTestBroker({ limits: { packetBytes: 1_000_000 } });
    const peer = (await broker.join("p", 5)).sendHex(hex);
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason });
    expect(await peer.next()).toBe("closed");
  });

  test("[MQTT-3.3.2-6] message expiry is counted down while the message waits", async () => {
    await using broker = await openTestBroker();
    const publisher = await broker.join("publisher", 5);
    publisher.send(publishPacket("a", "x", { retain: true, properties: { messageExpiryInterval: 100 } }));
    await publisher.untilPong();
    broker.timers.advance(30_000);
    const subscriber = await broker.join("subscriber", 5);
    await subscribe(subscriber, "a");
    expect((await subscriber.nextOf("publish")).properties).toEqual({ messageExpiryInterval: 70 });
  });

  test("[MQTT-3.3.2-5] a message whose expiry has passed is not delivered", async () => {
    await using broker = await openTestBroker();
    const publisher = await broker.join("publisher", 5);
    const away = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };
    const sleeper = await broker.join("sleeper", 5, away);
    await subscribe(sleeper, "a", { qos: 1 });
    sleeper.send({ type: "disconnect", reason: 0, properties: {} });
    await sleeper.untilClosed();
    const expiring = { qos: 1, retain: true, properties: { messageExpiryInterval: 10 } } as const;
    publisher.send(publishPacket("a", "x", expiring));
    await publisher.nextOf("puback");
    broker.timers.advance(10_000);
    const back = await broker.join("sleeper", 5, away);
    await subscribe(back, "a");
    expect(await back.untilPong()).toEqual([]);
    broker.timers.advance(60_000);
    expect(broker.broker.stats()).toMatchObject({ retainedMessages: 0, dropped: { expired: 1 } });
  });

  test("[MQTT-3.1.2-24] nothing larger than its maximum packet size is sent to a client", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5, { properties: { maximumPacketSize: 20 } });
    await subscribe(peer, "#", { qos: 1 });
    const publisher = await broker.join("publisher", 5);
    publisher.send(publishPacket("a", "x".repeat(20), { qos: 1 }), publishPacket("a", "x".repeat(20)));
    publisher.send(publishPacket("a", "small", { qos: 1, packetId: 2 }));
    await publisher.untilPong();
    expect(await peer.untilPong()).toHaveLength(1);
    expect(broker.broker.stats().dropped.tooLarge).toBe(2);
  });

  test("whoever may not write is told so in 5.0 and acknowledged in 3.1.1, and nothing is published", async () => {
    await using broker = await openTestBroker({
      listeners: [{ address: "127.0.0.1", port: 0, allowAnonymous: true }],
      authorise: (_who, access, topic) => access === "read" || topic !== "secret",
    });
    const watcher = await broker.join("watcher", 5);
    await subscribe(watcher, "#");
    const newer = await broker.join("newer", 5);
    newer.send(publishPacket("secret", "x", { qos: 1 }), publishPacket("secret", "x", { qos: 2, packetId: 2 }));
    expect(await newer.nextOf("puback")).toMatchObject({ reason: 0x87 });
    expect(await newer.nextOf("pubrec")).toMatchObject({ reason: 0x87 });
    const older = await broker.join("older", 4);
    older.send(publishPacket("secret", "x", { qos: 1 }), publishPacket("secret", "x"));
    await older.nextOf("puback");
    expect(await watcher.untilPong()).toEqual([]);
  });
});
