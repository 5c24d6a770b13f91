import { describe, expect, test } from "vitest";
import type { ConnectPacket, Version } from "../../src/broker/codec/packets.ts";
import { subscriptionBytes } from "../../src/broker/routing/topic-tree.ts";
import { openTestBroker, subscribe, type TestBroker } from "./support/broker.ts";
import { connectPacket, type Peer, publishPacket } from "./support/peer.ts";

const goodbye = { type: "disconnect", reason: 0, properties: {} } as const;

/** A client whose session outlives its connection by `expiryS`. */
function keeping(version: Version, expiryS = 1000): ConnectPacket {
  const properties = version === 5 ? { sessionExpiryInterval: expiryS } : {};
  return connectPacket({ version, clientId: "keeper", cleanStart: false, keepAliveS: 0, properties });
}

async function leave(peer: Peer): Promise<void> {
  await peer.send(goodbye).untilClosed();
}

async function publishAll(broker: TestBroker, payloads: readonly string[]): Promise<void> {
  const publisher = await broker.join("publisher", 5, { keepAliveS: 0 });
  for (const [i, payload] of payloads.entries())
    publisher.send(publishPacket("a", payload, { qos: 1, packetId: i + 1 }));
  for (const _ of payloads) await publisher.nextOf("puback");
  await leave(publisher);
}

describe("sessions", () => {
  test.each([4, 5] as const)(
    "[MQTT-3.1.2-5] [MQTT-3.2.2-3] one is resumed with its subscriptions and what was queued (protocol level %i)",
    async (version) => {
      await using broker = await openTestBroker();
      const first = await broker.accepted(keeping(version));
      expect(first.connack.sessionPresent).toBe(false);
      await subscribe(first.peer, "a", { qos: 1 });
      await leave(first.peer);
      await publishAll(broker, ["1", "2"]);
      const again = await broker.accepted(keeping(version));
      expect(again.connack.sessionPresent).toBe(true);
      expect(await again.peer.untilPong()).toMatchObject([
        { payload: Buffer.from("1"), dup: false },
        { payload: Buffer.from("2"), dup: false },
      ]);
    },
  );

  test("one that was kept under one version is resumed under the other", async () => {
    await using broker = await openTestBroker();
    const older = await broker.accepted(keeping(4));
    await subscribe(older.peer, "a", { qos: 1 });
    await leave(older.peer);
    await publishAll(broker, ["1"]);
    const newer = await broker.accepted(keeping(5));
    expect(await newer.peer.untilPong()).toMatchObject([{ payload: Buffer.from("1") }]);
  });

  test("[MQTT-3.1.2-4] [MQTT-3.2.2-2] a clean start discards what there was", async () => {
    await using broker = await openTestBroker();
    const first = await broker.accepted(keeping(5));
    await subscribe(first.peer, "a");
    await leave(first.peer);
    const clean = await broker.accepted({ ...keeping(5), cleanStart: true });
    expect(clean.connack.sessionPresent).toBe(false);
    expect(broker.broker.stats()).toMatchObject({ sessions: 1, subscriptions: 0 });
  });

  test("[MQTT-4.4.0-1] [MQTT-3.3.1-1] what was not acknowledged is sent again, in order, marked as a duplicate", async () => {
    await using broker = await openTestBroker();
    const first = await broker.accepted(keeping(5));
    await subscribe(first.peer, "a", { qos: 2 });
    first.peer.send(
      publishPacket("a", "one", { qos: 1, packetId: 1 }),
      publishPacket("a", "two", { qos: 2, packetId: 2 }),
    );
    first.peer.send(publishPacket("a", "three", { qos: 2, packetId: 3 }));
    const sent = (await first.peer.untilPong()).filter((packet) => packet.type === "publish");
    first.peer.send({ type: "pubrec", packetId: sent[1]?.packetId ?? 0, reason: 0, properties: {} });
    await first.peer.nextOf("pubrel");
    first.peer.socket.destroy();
    const again = await broker.accepted(keeping(5));
    expect(await again.peer.untilPong()).toMatchObject([
      { type: "publish", packetId: sent[0]?.packetId, dup: true, payload: Buffer.from("one") },
      { type: "pubrel", packetId: sent[1]?.packetId },
      { type: "publish", packetId: sent[2]?.packetId, dup: true, payload: Buffer.from("three") },
    ]);
  });

  test("[MQTT-3.3.4-9] no more is unacknowledged than the client's receive maximum, resent ones included", async () => {
    await using broker = await openTestBroker();
    const connect = keeping(5);
    const first = await broker.accepted({ ...connect, properties: { ...connect.properties, receiveMaximum: 3 } });
    await subscribe(first.peer, "a", { qos: 1 });
    await publishAll(broker, ["1", "2", "3", "4", "5"]);
    expect(await first.peer.untilPong()).toHaveLength(3);
    first.peer.socket.destroy();
    const again = await broker.accepted({ ...connect, properties: { ...connect.properties, receiveMaximum: 2 } });
    const order: string[] = [];
    expect(await again.peer.untilPong()).toHaveLength(2);
    again.peer.send({ type: "puback", packetId: 1, reason: 0, properties: {} });
    for (let i = 0; i < 3; i++) {
      const { payload, packetId } = await again.peer.nextOf("publish");
      order.push(payload.toString());
      again.peer.send({ type: "puback", packetId, reason: 0, properties: {} });
    }
    expect(order).toEqual(["3", "4", "5"]);
  });

  test("one is not handed to another user who comes with its client id", async () => {
    await using broker = await openTestBroker({ authenticate: ({ username = "" }) => ({ ok: true, username }) });
    const ann = await broker.accepted({ ...keeping(5), username: "ann" });
    await subscribe(ann.peer, "a", { qos: 1 });
    await leave(ann.peer);
    const bob = await broker.accepted({ ...keeping(5), username: "bob" });
    expect(bob.connack.sessionPresent).toBe(false);
    expect(broker.broker.stats()).toMatchObject({ sessions: 1, subscriptions: 0 });
  });

  test("one ends when its client stays away past its expiry", async () => {
    await using broker = await openTestBroker();
    await leave((await broker.accepted(keeping(5, 10))).peer);
    broker.timers.advance(9999);
    expect(broker.broker.stats().sessions).toBe(1);
    broker.timers.advance(1);
    expect(broker.broker.stats().sessions).toBe(0);
    expect((await broker.accepted(keeping(5, 10))).connack.sessionPresent).toBe(false);
  });

  test("one that is to be kept for longer than the limit is told so; a 3.1.1 one ends at the limit", async () => {
    await using broker = await openTestBroker({ limits: { sessionExpiryS: 50 } });
    const newer = await broker.accepted(keeping(5, 0xffffffff));
    expect(newer.connack.properties.sessionExpiryInterval).toBe(50);
    await leave(newer.peer);
    await leave((await broker.accepted({ ...keeping(4), clientId: "older" })).peer);
    broker.timers.advance(50_000);
    expect(broker.broker.stats().sessions).toBe(0);
  });

  test("DISCONNECT may change its expiry, but not prolong one that was to end with the connection", async () => {
    await using broker = await openTestBroker();
    const ending = await broker.accepted(keeping(5));
    await ending.peer.send({ ...goodbye, properties: { sessionExpiryInterval: 0 } }).untilClosed();
    expect(broker.broker.stats().sessions).toBe(0);
    const { peer } = await broker.accepted(keeping(5, 0));
    peer.send({ ...goodbye, properties: { sessionExpiryInterval: 5 } });
    expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x82 });
  });

  test("past their limit a new one is refused with 0x97, while connections that keep none are let in", async () => {
    await using broker = await openTestBroker({ limits: { sessions: 1 } });
    await leave((await broker.accepted(keeping(5))).peer);
    const refused = broker.dial(5).send({ ...keeping(5), clientId: "another" });
    expect(await refused.nextOf("connack")).toMatchObject({ reason: 0x97 });
    await broker.join("clean", 5);
    expect((await broker.accepted(keeping(5))).connack.sessionPresent).toBe(true);
  });

  test("the limit holds for clients that come a second time to have theirs kept", async () => {
    await using broker = await openTestBroker({ limits: { sessions: 1 } });
    const answers: number[] = [];
    for (const clientId of ["one", "two"]) {
      await broker.join(clientId, 5);
      const again = broker.dial(5).send({ ...keeping(5), clientId });
      answers.push((await again.nextOf("connack")).reason);
    }
    expect(answers).toEqual([0, 0x97]);
  });

  test.each([
    ["messages", { queuedMessages: 2 }],
    ["bytes", { queuedBytes: 230 }],
    ["bytes of all clients together", { memoryBytes: 230 + subscriptionBytes("a") }],
  ])("past the limit of %s the newest for an absent client is dropped and counted", async (_what, limits) => {
    await using broker = await openTestBroker({ limits });
    const first = await broker.accepted(keeping(5));
    await subscribe(first.peer, "a", { qos: 1 });
    await leave(first.peer);
    await publishAll(
      broker,
      ["1", "2", "3"].map((payload) => payload.padEnd(100)),
    );
    const again = await broker.accepted(keeping(5));
    const payloads = (await again.peer.untilPong()).map((p) => p.type === "publish" && p.payload.toString().trim());
    expect(payloads).toEqual(["1", "2"]);
    expect(broker.broker.stats().dropped.queueFull).toBe(1);
  });

  test("messages that expired while they waited make room for newer ones, in order", async () => {
    await using broker = await openTestBroker({ limits: { queuedMessages: 3 } });
    const first = await broker.accepted(keeping(5));
    await subscribe(first.peer, "a", { qos: 1 });
    await leave(first.peer);
    const publisher = await broker.join("publisher", 5);
    const publish = (payload: string, messageExpiryInterval?: number) =>
      publisher.send(
        publishPacket("a", payload, { qos: 1, properties: messageExpiryInterval ? { messageExpiryInterval } : {} }),
      );
    publish("stays");
    publish("expires", 10);
    publish("later", 100);
    publish("no room yet");
    await publisher.untilPong();
    expect(broker.broker.stats().dropped).toMatchObject({ queueFull: 1, expired: 0 });
    broker.timers.advance(11_000);
    publish("new");
    publish("no room again");
    await publisher.untilPong();
    expect(broker.broker.stats()).toMatchObject({ queuedMessages: 3, dropped: { queueFull: 2, expired: 1 } });
    const again = await broker.accepted(keeping(5));
    const payloads = (await again.peer.untilPong()).map((p) => p.type === "publish" && p.payload.toString());
    expect(payloads).toEqual(["stays", "later", "new"]);
    expect(broker.broker.stats()).toMatchObject({ queuedMessages: 0, queuedBytes: 0 });
  });
});
