import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ConnectPacket, PublishPacket, Version } from "../../src/broker/codec/packets.ts";
import type { BrokerOptions } from "../../src/broker/options.ts";
import { openTestBroker, subscribe, type TestBroker } from "./support/broker.ts";
import { connectPacket, Peer, publishPacket } from "./support/peer.ts";

const here = { address: "127.0.0.1", port: 0 };

const open = (mountPoint = "house/", options: Partial<BrokerOptions> = {}) =>
  openTestBroker({ listeners: [here, { ...here, mountPoint }], ...options });

/** A client of the second listener. */
async function joinMounted(
  { broker }: TestBroker,
  clientId: string,
  version: Version = 5,
  with_: Partial<ConnectPacket> = {},
): Promise<Peer> {
  const { port } = broker.addresses[1] as { port: number };
  const peer = new Peer({ host: "127.0.0.1", port }, version).send(connectPacket({ clientId, version, ...with_ }));
  expect((await peer.nextOf("connack")).reason).toBe(0);
  return peer;
}

async function arrived(peer: Peer): Promise<[string, string][]> {
  const packets = await peer.untilPong();
  return packets
    .filter((packet): packet is PublishPacket => packet.type === "publish")
    .map(({ topic, payload }) => [topic, payload.toString()]);
}

describe("a mount point", () => {
  test.each([4, 5] as const)(
    "stands before what clients publish and subscribe to, and they do not see it (version %i)",
    async (version) => {
      await using broker = await open();
      const outside = await broker.join("outside", 5);
      using inside = await joinMounted(broker, "inside", version);
      await subscribe(outside, "#");
      await subscribe(inside, "#", { qos: 2 });
      inside.send(publishPacket("room/t", "1"));
      expect(await arrived(inside)).toEqual([["room/t", "1"]]);
      outside.send(publishPacket("house/room/t", "2", { qos: 2, packetId: 1 }), publishPacket("room/t", "3"));
      expect(await arrived(outside)).toEqual([
        ["house/room/t", "1"],
        ["house/room/t", "2"],
        ["room/t", "3"],
      ]);
      expect(await arrived(inside)).toEqual([["room/t", "2"]]);
    },
  );

  test("stands before the topics of retained messages and topic aliases, of both directions", async () => {
    await using broker = await open();
    const outside = await broker.join("outside", 5);
    using inside = await joinMounted(broker, "inside", 5, { properties: { topicAliasMaximum: 5 } });
    inside.send(publishPacket("t", "1", { retain: true, properties: { topicAlias: 1 } }));
    inside.send(publishPacket("", "2", { retain: true, properties: { topicAlias: 1 } }));
    expect(await arrived(inside)).toEqual([]);
    await subscribe(outside, "house/t");
    expect(await arrived(outside)).toEqual([["house/t", "2"]]);
    await subscribe(inside, "+");
    outside.send(publishPacket("house/t", "3"));
    await outside.untilPong();
    expect(await arrived(inside)).toEqual([
      ["t", "2"],
      ["", "3"],
    ]);
  });

  test("stands before the topic of a will, and leaves a response topic as it is", async () => {
    await using broker = await open();
    const outside = await broker.join("outside", 5);
    await subscribe(outside, "#");
    const will = {
      topic: "gone",
      payload: Buffer.from("w"),
      qos: 0,
      retain: false,
      properties: { responseTopic: "answer" },
    } as const;
    using inside = await joinMounted(broker, "inside", 5, { will });
    inside.socket.destroy();
    const { topic, properties } = await outside.nextOf("publish");
    expect([topic, properties.responseTopic]).toEqual(["house/gone", "answer"]);
  });

  test("stands before the filter of a shared subscription", async () => {
    await using broker = await open();
    const outside = await broker.join("outside", 5);
    using one = await joinMounted(broker, "one");
    using other = await joinMounted(broker, "other");
    for (const peer of [one, other]) expect(await subscribe(peer, "$share/g/t/+")).toEqual([0]);
    for (let i = 0; i < 4; i++) outside.send(publishPacket("house/t/x", `${i}`), publishPacket("t/x", "not theirs"));
    await outside.untilPong();
    const got = [...(await arrived(one)), ...(await arrived(other))];
    expect(got.sort()).toEqual(["0", "1", "2", "3"].map((payload) => ["t/x", payload]));
  });

  test("stands before what is unsubscribed", async () => {
    await using broker = await open();
    using inside = await joinMounted(broker, "inside");
    await subscribe(inside, "a/#");
    inside.send({ type: "unsubscribe", packetId: 3, filters: ["house/a/#", "a/#"], properties: {} });
    expect((await inside.nextOf("unsuback")).reasons).toEqual([0x11, 0]);
    expect(broker.broker.stats().subscriptions).toBe(0);
  });

  test("hides `$SYS`, as with Mosquitto", async () => {
    await using broker = await open("house/", { sysIntervalMs: 1000 });
    using inside = await joinMounted(broker, "inside");
    const outside = await broker.join("outside", 5);
    await subscribe(outside, "$SYS/broker/version");
    expect(await arrived(outside)).toHaveLength(1);
    await subscribe(inside, "$SYS/#");
    await subscribe(inside, "#");
    expect(await arrived(inside)).toEqual([]);
  });

  test("is before the topics that rules of access see", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mount-"));
    try {
      const aclFile = join(folder, "acl");
      writeFileSync(aclFile, "topic readwrite house/open/#\ntopic readwrite shut/#\ntopic read house/read\n");
      await using broker = await openTestBroker({ listeners: [here, { ...here, mountPoint: "house/", aclFile }] });
      const outside = await broker.join("outside", 5);
      using inside = await joinMounted(broker, "inside");
      expect(await subscribe(inside, "open/#", { qos: 1 })).toEqual([1]);
      expect(await subscribe(inside, "shut/#")).toEqual([0x87]);
      expect(await subscribe(inside, "+")).toEqual([0]);
      for (const [topic, reason] of [
        ["open/x", 0],
        ["shut/x", 0x87],
        ["read", 0x87],
      ] as const) {
        inside.send(publishPacket(topic, "x", { qos: 1, packetId: 9 }));
        const packets = [await inside.next(), ...(reason === 0 ? [await inside.next()] : [])];
        expect(packets.find((packet) => packet !== "closed" && packet.type === "puback")).toMatchObject({ reason });
      }
      outside.send(publishPacket("house/read", "r"), publishPacket("house/closed", "c"));
      await outside.untilPong();
      expect(await arrived(inside)).toEqual([["read", "r"]]);
      expect(broker.broker.stats().dropped.denied).toBe(3);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("keeps back what waits for a session from another listener", async () => {
    await using broker = await open();
    const outside = await broker.join("outside", 5);
    const stays = { properties: { sessionExpiryInterval: 100 } };
    const roamer = await broker.join("roamer", 5, stays);
    await subscribe(roamer, "#", { qos: 1 });
    roamer.socket.destroy();
    await expect.poll(() => broker.broker.stats().clients).toBe(1);
    for (const topic of ["a", "house/b", "house/", "housekeeping"]) {
      outside.send(publishPacket(topic, "x", { qos: 1 }));
      await outside.untilPong();
    }
    using back = await joinMounted(broker, "roamer", 5, { cleanStart: false, ...stays });
    expect(await arrived(back)).toEqual([["b", "x"]]);
    expect(broker.broker.stats().dropped.denied).toBe(3);
  });

  test("refuses a topic that is too long with it, an empty one, and a filter that it spoils", async () => {
    await using broker = await open("house");
    using inside = await joinMounted(broker, "inside");
    expect(await subscribe(inside, "#")).toEqual([0x8f]);
    expect(await subscribe(inside, "/#")).toEqual([0]);
    inside.send(publishPacket("x".repeat(0xffff - 5), ""), publishPacket("x".repeat(0xffff), ""));
    expect(await inside.nextOf("disconnect")).toMatchObject({ reason: 0x90 });
    using old = await joinMounted(broker, "old", 4);
    expect(await subscribe(old, "#")).toEqual([0x80]);
    using empty = await joinMounted(broker, "empty");
    empty.send(publishPacket("", ""));
    expect(await empty.nextOf("disconnect")).toMatchObject({ reason: 0x82 });
  });
});
