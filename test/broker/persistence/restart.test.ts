import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { PublishPacket } from "../../../src/broker/codec/packets.ts";
import { openTestBroker, subscribe } from "../support/broker.ts";
import { connectPacket, type Peer, publishPacket } from "../support/peer.ts";
import { Disk } from "./disk.ts";

const hour = 3600;

const staying = { cleanStart: false, properties: { sessionExpiryInterval: hour } };

function acknowledged(peer: Peer, packet: PublishPacket) {
  peer.send(packet);
  return peer.nextOf("puback");
}

const payloads = (packets: readonly { type: string }[]) =>
  packets.filter(({ type }) => type === "publish").map((packet) => (packet as PublishPacket).payload.toString());

describe.each([0, 5000])("with a persistence window of %d ms", (windowMs) => {
  test("a restart keeps subscriptions and what was queued, in order", async () => {
    using disk = new Disk();
    {
      await using before = await disk.broker(windowMs);
      const away = await before.join("away", 5, staying);
      await subscribe(away, "queue/#", { qos: 2 }, { subscriptionIdentifiers: [9] });
      away.send({ type: "disconnect", reason: 0, properties: {} });
      await away.untilClosed();
      const publisher = await before.join("publisher", 5);
      for (let n = 1; n <= 50; n++)
        await acknowledged(publisher, publishPacket("queue/a", `${n}`, { qos: 1, packetId: n }));
    }
    await using after = await disk.broker(windowMs);
    const { peer, connack } = await after.accepted(connectPacket({ clientId: "away", version: 5, ...staying }));
    expect(connack.sessionPresent).toBe(true);
    const received: PublishPacket[] = [];
    while (received.length < 50) {
      const packet = await peer.nextOf("publish");
      peer.send({ type: "puback", packetId: packet.packetId, reason: 0, properties: {} });
      received.push(packet);
    }
    expect(received.map(({ payload }) => Number(payload.toString()))).toEqual(
      Array.from({ length: 50 }, (_, n) => n + 1),
    );
    expect(received[0]?.properties.subscriptionIdentifiers).toEqual([9]);
    const publisher = await after.join("publisher", 4);
    await acknowledged(publisher, publishPacket("queue/b", "new", { qos: 1 }));
    expect((await peer.nextOf("publish")).payload.toString()).toBe("new");
  });

  test("a restart keeps what is retained, and what was cleared stays cleared", async () => {
    using disk = new Disk();
    {
      await using before = await disk.broker(windowMs);
      const publisher = await before.join("publisher", 5);
      for (const [topic, payload] of [
        ["a", "1"],
        ["b", "2"],
        ["a", "3"],
        ["b", ""],
      ] as const)
        await acknowledged(publisher, publishPacket(topic, payload, { qos: 1, retain: true }));
    }
    await using after = await disk.broker(windowMs);
    const reader = await after.join("reader", 5);
    await subscribe(reader, "#");
    expect(payloads(await reader.untilPong())).toEqual(["3"]);
  });

  test("what is retained at QoS 2 follows the SUBACK of a lasting session, with nothing else going on", async () => {
    using disk = new Disk();
    await using broker = await disk.broker(windowMs);
    const publisher = await broker.join("publisher", 5);
    publisher.send(publishPacket("t", "kept", { qos: 2, retain: true }));
    await publisher.nextOf("pubrec");
    const lasting = await broker.join("lasting", 5, staying);
    await subscribe(lasting, "t", { qos: 2 });
    expect(await lasting.nextOf("publish")).toMatchObject({ qos: 2, retain: true });
  });

  test("a message under way is sent again under its identifier, one that was released is only released", async () => {
    using disk = new Disk();
    const ids: number[] = [];
    {
      await using before = await disk.broker(windowMs);
      const away = await before.join("away", 5, staying);
      await subscribe(away, "t", { qos: 2 });
      const publisher = await before.join("publisher", 5);
      for (const payload of ["released", "sent"]) {
        publisher.send(publishPacket("t", payload, { qos: 2, packetId: payload.length }));
        await publisher.nextOf("pubrec");
        ids.push((await away.nextOf("publish")).packetId);
      }
      away.send({ type: "pubrec", packetId: ids[0] as number, reason: 0, properties: {} });
      await away.nextOf("pubrel");
    }
    await using after = await disk.broker(windowMs);
    const again = (await after.accepted(connectPacket({ clientId: "away", version: 5, ...staying }))).peer;
    expect(await again.nextOf("pubrel")).toMatchObject({ packetId: ids[0] });
    expect(await again.nextOf("publish")).toMatchObject({ packetId: ids[1], dup: true, payload: Buffer.from("sent") });
  });

  test("a QoS 2 message that comes again after a restart is not published again", async () => {
    using disk = new Disk();
    const message = publishPacket("t", "once", { qos: 2, packetId: 3 });
    {
      await using before = await disk.broker(windowMs);
      const away = await before.join("away", 4, { cleanStart: false });
      await subscribe(away, "t", { qos: 1 });
      const publisher = await before.join("publisher", 5, staying);
      publisher.send(message);
      await publisher.nextOf("pubrec");
    }
    await using after = await disk.broker(windowMs);
    const publisher = await after.join("publisher", 5, staying);
    publisher.send({ ...message, dup: true });
    await publisher.nextOf("pubrec");
    publisher.send({ type: "pubrel", packetId: 3, reason: 0, properties: {} });
    expect(await publisher.nextOf("pubcomp")).toMatchObject({ reason: 0 });
    const away = await after.join("away", 4, { cleanStart: false });
    expect(payloads(await away.untilPong())).toEqual(["once"]);
  });

  test("what is acknowledged and ended leaves nothing behind", async () => {
    using disk = new Disk();
    {
      await using before = await disk.broker(windowMs);
      const there = await before.join("there", 5, staying);
      await subscribe(there, "t", { qos: 1 });
      const publisher = await before.join("publisher", 5);
      await acknowledged(publisher, publishPacket("t", "x", { qos: 1 }));
      const { packetId } = await there.nextOf("publish");
      there.send({ type: "puback", packetId, reason: 0, properties: {} });
      await there.untilPong();
      await before.join("there", 5, { cleanStart: true });
    }
    await using after = await disk.broker(windowMs);
    expect(after.broker.stats()).toMatchObject({ sessions: 0, subscriptions: 0, queuedBytes: 0 });
  });
});

describe("wills over a restart", () => {
  const will = { topic: "w", payload: Buffer.from("gone"), qos: 0, retain: true, properties: {} } as const;

  test("of who does not come back are published, of who does are not", async () => {
    using disk = new Disk();
    {
      await using before = await disk.broker(0);
      await before.join("lost", 5, { will });
      await before.join("back", 5, { will: { ...will, topic: "w/back" } });
      await before.join("kept", 5, { ...staying, will: { ...will, topic: "w/kept" } });
    }
    await using after = await disk.broker(0);
    await after.join("back", 5);
    const reader = await after.join("reader", 5);
    await subscribe(reader, "w/#");
    after.timers.advance(9000);
    expect(payloads(await reader.untilPong())).toEqual([]);
    after.timers.advance(2000);
    const gone = (await reader.untilPong()).map((packet) => packet.type === "publish" && packet.topic);
    expect(gone.sort()).toEqual(["w", "w/kept"]);
  });
});

test("a second end shortly after the first leaves clients the same time to come back before their wills are published", async () => {
  using disk = new Disk();
  const will = { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: true, properties: {} } as const;
  const staying = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
  {
    await using first = await disk.broker(0);
    await first.join("lost", 5, { will: { ...will, topic: "w/lost" } });
    await first.join("kept", 5, { ...staying, will: { ...will, topic: "w/kept" } });
    await first.join("back", 5, { will: { ...will, topic: "w/back" } });
  }
  {
    await using second = await disk.broker(0);
    second.timers.advance(5000);
    disk.monoMs += 5000;
  }
  await using third = await disk.broker(0);
  await third.join("back", 5);
  const reader = await third.join("reader", 5);
  await subscribe(reader, "w/#");
  third.timers.advance(4000);
  expect(await reader.untilPong()).toEqual([]);
  third.timers.advance(2000);
  const gone = (await reader.untilPong()).map((packet) => packet.type === "publish" && packet.topic);
  expect(gone.sort()).toEqual(["w/kept", "w/lost"]);
});

test("a message that hardly expires is told with the longest expiry there is, although the broker's time lost some", async () => {
  using disk = new Disk();
  {
    await using before = await disk.broker(0);
    const away = await before.join("away", 5, staying);
    await subscribe(away, "t", { qos: 1 });
    await away.send({ type: "disconnect", reason: 0, properties: {} }).untilClosed();
    before.timers.advance(30_000); // less than the time is noted after
    const publisher = await before.join("publisher", 5);
    const properties = { messageExpiryInterval: 0xffffffff };
    await acknowledged(publisher, publishPacket("t", "x", { qos: 1, properties }));
  }
  Object.assign(disk, { boot: "second", monoMs: 10, synced: false });
  await using after = await disk.broker(0);
  const back = await after.join("away", 5, staying);
  expect((await back.nextOf("publish")).properties.messageExpiryInterval).toBe(0xffffffff);
});

describe("expiry over a restart", () => {
  async function leave(disk: Disk): Promise<void> {
    await using before = await disk.broker(0);
    const publisher = await before.join("publisher", 5);
    const properties = { messageExpiryInterval: hour };
    await acknowledged(publisher, publishPacket("t", "x", { qos: 1, retain: true, properties }));
  }

  async function isThere(disk: Disk): Promise<boolean> {
    await using after = await disk.broker(0);
    const reader = await after.join("reader", 5);
    await subscribe(reader, "t");
    return (await reader.untilPong()).length > 0;
  }

  test.each([
    ["while the process was away", { onMs: 3_601_000 }, false],
    ["in part", { onMs: 3_500_000 }, true],
    ["while the machine was off, by synced clocks", { offMs: 3_601_000 }, false],
    ["while the machine was off, which nobody knows", { offMs: 3_601_000, synced: false }, true],
  ])("counts time %s", async (_, passed: { onMs?: number; offMs?: number; synced?: boolean }, there) => {
    using disk = new Disk();
    await leave(disk);
    const { onMs = 0, offMs = 0, synced = true } = passed;
    disk.wallMs += onMs + offMs;
    disk.synced = synced;
    if (offMs > 0) Object.assign(disk, { boot: "second", monoMs: 10 });
    else disk.monoMs += onMs;
    expect(await isThere(disk)).toBe(there);
  });
});

describe("a session and the delay of its will count over a restart", () => {
  const will = { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: true } as const;

  test.each([
    ["time that the process was away, short of the delay", { onMs: 1_700_000 }, { will: 0, sessions: 1 }],
    ["time that the process was away, past the delay", { onMs: 1_900_000 }, { will: 1, sessions: 1 }],
    ["time that the process was away, past the session's expiry", { onMs: 3_601_000 }, { will: 1, sessions: 0 }],
    ["time that the machine was off, by synced clocks", { offMs: 1_900_000 }, { will: 1, sessions: 1 }],
    ["the same past the session's expiry", { offMs: 3_601_000 }, { will: 1, sessions: 0 }],
    ["no time that nobody knows", { offMs: 3_601_000, synced: false }, { will: 0, sessions: 1 }],
  ])("%s", async (_, passed: { onMs?: number; offMs?: number; synced?: boolean }, expected) => {
    using disk = new Disk();
    {
      await using before = await disk.broker(0);
      const properties = { sessionExpiryInterval: hour };
      const delayed = { ...will, properties: { willDelayInterval: 1800 } };
      const peer = await before.join("away", 5, { cleanStart: false, properties, will: delayed });
      peer.socket.destroy();
      await expect.poll(() => before.broker.stats().clients).toBe(0);
    }
    const { onMs = 0, offMs = 0, synced = true } = passed;
    disk.wallMs += onMs + offMs;
    disk.synced = synced;
    if (offMs > 0) Object.assign(disk, { boot: "second", monoMs: 10 });
    else disk.monoMs += onMs;
    await using after = await disk.broker(0);
    after.timers.advance(1);
    const { retainedMessages, sessions } = after.broker.stats();
    expect({ will: retainedMessages, sessions }).toEqual(expected);
    if (expected.will === 1) return;
    after.timers.advance(1_800_000);
    expect(after.broker.stats().retainedMessages).toBe(1);
  });
});

test("time that the machine was off counts as soon as the clock is synced", async () => {
  using disk = new Disk();
  const properties = { messageExpiryInterval: hour };
  {
    await using before = await disk.broker(0);
    const away = await before.join("away", 5, staying);
    await subscribe(away, "t", { qos: 1 });
    away.send({ type: "disconnect", reason: 0, properties: {} });
    await away.untilClosed();
    const publisher = await before.join("publisher", 5);
    await acknowledged(publisher, publishPacket("t", "x", { qos: 1, retain: true, properties }));
  }
  Object.assign(disk, { boot: "second", monoMs: 10, wallMs: disk.wallMs + 2 * hour * 1000, synced: false });
  await using after = await disk.broker(0);
  expect(after.broker.stats()).toMatchObject({ retainedMessages: 1, sessions: 1 });
  disk.synced = true;
  after.timers.advance(125_000);
  expect(after.broker.stats()).toMatchObject({ retainedMessages: 0, sessions: 0, queuedBytes: 0 });
});

test("what clients of a volatile listener retain is not kept, and replaces what was", async () => {
  using disk = new Disk();
  const path = join(disk.path, "own.sock");
  const persistence = { directory: disk.path, stagingPath: join(disk.path, "staging"), windowMs: 0 };
  const listeners = [
    { address: "127.0.0.1", port: 0 },
    { path, volatile: true },
  ];
  {
    await using before = await openTestBroker({ persistence, listeners }, { clock: disk.clock });
    const other = await before.join("other", 5);
    await acknowledged(other, publishPacket("both", "other's", { qos: 1, retain: true }));
    const own = before.dialPath(path).send(connectPacket({ clientId: "own", version: 5, ...staying }));
    await own.nextOf("connack");
    await acknowledged(own, publishPacket("own", "x", { qos: 1, retain: true }));
    await acknowledged(own, publishPacket("both", "x", { qos: 1, retain: true }));
  }
  await using after = await openTestBroker({ persistence, listeners }, { clock: disk.clock });
  expect(after.broker.stats()).toMatchObject({ retainedMessages: 0, sessions: 0 });
});

test("a damaged database is moved aside and a fresh one opened", async () => {
  using disk = new Disk();
  {
    await using _ = await disk.broker(0);
  }
  truncateSync(join(disk.path, "broker.db"), 4096);
  writeFileSync(join(disk.path, "broker.db"), "not a database, not at all");
  await using after = await disk.broker(0);
  const publisher = await after.join("publisher", 5);
  expect(await acknowledged(publisher, publishPacket("t", "x", { qos: 1, retain: true }))).toMatchObject({
    reason: 16,
  });
  expect(readdirSync(disk.path).filter((name) => name.includes(".corrupt-")).length).toBeGreaterThan(0);
});

test("a database that another broker holds is refused", async () => {
  using disk = new Disk();
  await using _ = await disk.broker(0);
  await expect(disk.broker(0)).rejects.toMatchObject({ code: "STORE_LOCKED" });
});
