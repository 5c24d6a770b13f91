import { describe, expect, test } from "vitest";
import type { Packet } from "../../src/broker/codec/packets.ts";
import { openTestBroker, subscribe, type TestBroker } from "./support/broker.ts";
import { type Peer, publishPacket } from "./support/peer.ts";

const keeping = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };

function payloads(packets: readonly Packet[]): string[] {
  return packets.filter((packet) => packet.type === "publish").map(({ payload }) => payload.toString());
}

async function publishAll(broker: TestBroker, topic: string, count: number, qos: 0 | 1 | 2 = 0): Promise<void> {
  const publisher = await broker.join("publisher", 5);
  for (let i = 1; i <= count; i++) publisher.send(publishPacket(topic, `${i}`, { qos, packetId: qos && i }));
  await publisher.untilPong();
}

async function leave(broker: TestBroker, peer: Peer): Promise<void> {
  const { clients } = broker.broker.stats();
  peer.socket.destroy();
  await expect.poll(() => broker.broker.stats().clients).toBe(clients - 1);
}

describe("shared subscriptions", () => {
  test.each([4, 5] as const)("give each message to one member, in turn (protocol level %i)", async (version) => {
    await using broker = await openTestBroker();
    const members: Peer[] = [];
    for (const id of ["a", "b", "c"]) {
      const member = await broker.join(id, version);
      expect(await subscribe(member, "$share/group/t/+", { qos: 1 })).toEqual([1]);
      members.push(member);
    }
    await publishAll(broker, "t/x", 6);
    const got: string[][] = [];
    for (const member of members) got.push(payloads(await member.untilPong()));
    expect(got).toEqual([
      ["1", "4"],
      ["2", "5"],
      ["3", "6"],
    ]);
  });

  test("of different names, and plain ones, get their own copies", async () => {
    await using broker = await openTestBroker();
    const member = await broker.join("a", 5);
    await subscribe(member, "t", {}, { subscriptionIdentifiers: [1] });
    await subscribe(member, "$share/one/t", {}, { subscriptionIdentifiers: [2] });
    await subscribe(member, "$share/two/#", {}, { subscriptionIdentifiers: [3] });
    await publishAll(broker, "t", 1);
    const ids = (await member.untilPong()).map((p) => p.type === "publish" && p.properties.subscriptionIdentifiers);
    expect(ids.sort()).toEqual([[1], [2], [3]]);
    expect(broker.broker.stats()).toMatchObject({ subscriptions: 3, sharedSubscriptions: 2 });
  });

  test("[MQTT-4.8.2-3] respect the QoS granted to the member", async () => {
    await using broker = await openTestBroker();
    const member = await broker.join("a", 5);
    await subscribe(member, "$share/g/t", { qos: 1 });
    await publishAll(broker, "t", 1, 2);
    expect(await member.untilPong()).toMatchObject([{ qos: 1 }]);
  });

  test("get nothing that was retained before", async () => {
    await using broker = await openTestBroker();
    const member = await broker.join("a", 5);
    member.send(publishPacket("t", "old", { retain: true }));
    await subscribe(member, "$share/g/t");
    expect(await member.untilPong()).toEqual([]);
  });

  test("end with UNSUBSCRIBE, for the others in the group not", async () => {
    await using broker = await openTestBroker();
    const first = await broker.join("a", 5);
    const second = await broker.join("b", 5);
    for (const member of [first, second]) await subscribe(member, "$share/g/t");
    first.send({ type: "unsubscribe", packetId: 1, filters: ["$share/g/t", "t"], properties: {} });
    expect((await first.nextOf("unsuback")).reasons).toEqual([0, 0x11]);
    await publishAll(broker, "t", 2);
    expect(payloads(await first.untilPong())).toEqual([]);
    expect(payloads(await second.untilPong())).toEqual(["1", "2"]);
    expect(broker.broker.stats()).toMatchObject({ subscriptions: 1, sharedSubscriptions: 1 });
  });

  test("prefer members who are there; what comes while nobody is waits for one whose session is kept", async () => {
    await using broker = await openTestBroker();
    const sleeper = await broker.join("sleeper", 5, keeping);
    await subscribe(sleeper, "$share/g/t", { qos: 1 });
    const other = await broker.join("other", 5);
    await subscribe(other, "$share/g/t", { qos: 1 });
    await leave(broker, sleeper);
    await publishAll(broker, "t", 2, 1);
    expect(payloads(await other.untilPong())).toEqual(["1", "2"]);
    for (const packetId of [1, 2]) other.send({ type: "puback", packetId, reason: 0, properties: {} });
    await other.untilPong();
    await leave(broker, other);
    await publishAll(broker, "t", 2, 1);
    expect(payloads(await (await broker.join("sleeper", 5, keeping)).untilPong())).toEqual(["1", "2"]);
  });

  test("skip a member that has to queue what it gets, while another takes it at once", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 1 } });
    const slow = await broker.join("slow", 5);
    const quick = await broker.join("quick", 5);
    for (const member of [slow, quick]) await subscribe(member, "$share/g/t", { qos: 1 });
    await subscribe(slow, "own", { qos: 1 });
    await publishAll(broker, "own", 2, 1);
    await publishAll(broker, "t", 2, 1);
    expect(payloads(await slow.untilPong())).toEqual(["1"]);
    const { packetId } = await quick.nextOf("publish");
    quick.send({ type: "puback", packetId, reason: 0, properties: {} });
    expect(payloads(await quick.untilPong())).toEqual(["2"]);
  });

  test("hand on what a member whose session ends has not acknowledged, at QoS 1", async () => {
    await using broker = await openTestBroker();
    const first = await broker.join("a", 5);
    await subscribe(first, "$share/g/t", { qos: 1 });
    await publishAll(broker, "t", 2, 1);
    expect(payloads(await first.untilPong())).toEqual(["1", "2"]);
    first.send({ type: "puback", packetId: 1, reason: 0, properties: {} });
    await first.untilPong();
    const second = await broker.join("b", 5);
    await subscribe(second, "$share/g/t", { qos: 1 });
    await leave(broker, first);
    expect(payloads(await second.untilPong())).toEqual(["2"]);
  });

  test("[MQTT-4.8.2-4] [MQTT-4.8.2-5] keep a QoS 2 message that was sent for its member, and never for another", async () => {
    await using broker = await openTestBroker();
    const first = await broker.join("a", 5, keeping);
    const second = await broker.join("b", 5);
    for (const member of [first, second]) await subscribe(member, "$share/g/t", { qos: 2 });
    await publishAll(broker, "t", 1, 2);
    expect(payloads(await first.untilPong())).toEqual(["1"]);
    await leave(broker, first);
    expect(payloads(await second.untilPong())).toEqual([]);
    const back = await broker.join("a", 5, keeping);
    expect(await back.untilPong()).toMatchObject([{ type: "publish", dup: true }]);
    await leave(broker, back);
    broker.timers.advance(30_000);
    await second.untilPong();
    broker.timers.advance(70_000);
    expect(broker.broker.stats().sessions).toBe(1);
    expect(payloads(await second.untilPong())).toEqual([]);
  });

  test("[MQTT-4.8.2-6] do not send a message that its member refused to another", async () => {
    await using broker = await openTestBroker();
    const first = await broker.join("a", 5);
    const second = await broker.join("b", 5);
    for (const member of [first, second]) await subscribe(member, "$share/g/t", { qos: 1 });
    await publishAll(broker, "t", 1, 1);
    const { packetId } = await first.nextOf("publish");
    first.send({ type: "puback", packetId, reason: 0x80, properties: {} });
    await first.untilPong();
    await leave(broker, first);
    expect(await second.untilPong()).toEqual([]);
  });

  test.each(["$share", "$share/", "$share/g", "$share/g/", "$share//t"])(
    "[MQTT-4.8.2-1] [MQTT-4.8.2-2] %s, which lacks a name or a filter, ends the connection",
    async (filter) => {
      await using broker = await openTestBroker();
      const peer = await broker.join("a", 5);
      await expect(subscribe(peer, filter)).rejects.toThrow('"reason":130');
    },
  );

  test("[MQTT-4.8.2-2] a share name with a wildcard ends the connection", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("a", 5);
    await expect(subscribe(peer, "$share/+/t")).rejects.toThrow('"reason":130');
  });

  test("[MQTT-3.8.3-4] one with no local is a protocol error", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("a", 5);
    await expect(subscribe(peer, "$share/g/t", { noLocal: true })).rejects.toThrow('"reason":130');
  });
});
