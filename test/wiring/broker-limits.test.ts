import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { brokerOptions } from "../../src/wiring/options.ts";
import { openTestBroker, subscribe, type TestBroker } from "../broker/support/broker.ts";
import { connectPacket, type Peer, publishPacket } from "../broker/support/peer.ts";

const folder = mkdtempSync(join(tmpdir(), "limits-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A broker under one setting of `broker.limits`, as a configuration file gives it. */
async function under(limit: string, value: string): Promise<TestBroker> {
  const file = join(folder, `${limit}.yaml`);
  writeFileSync(file, `broker: { limits: { ${limit}: ${value} } }\n`);
  const { config } = await loadConfig(file, { missingFiles: "error", env: {} });
  const { limits = {} } = brokerOptions(config.broker);
  return await openTestBroker({ limits });
}

const staying = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

async function published(peer: Peer, topic: string, payload: string, retain = false): Promise<number> {
  peer.send(publishPacket(topic, payload, { qos: 1, retain }));
  return (await peer.nextOf("puback")).reason;
}

/** Leaves a session with a subscription to `t` behind. */
async function leaveSubscriber(broker: TestBroker): Promise<void> {
  const peer = await broker.join("away", 5, staying);
  await subscribe(peer, "t", { qos: 1 });
  peer.send({ type: "disconnect", reason: 0, properties: {} });
  await peer.untilClosed();
}

const refusals = (broker: TestBroker) => broker.broker.stats().refusals;

interface Case {
  readonly at: string;
  /** What happens, for the title. */
  readonly what: string;
  readonly reach: (broker: TestBroker) => Promise<void>;
}

const cases: Record<string, Case> = {
  receive_maximum: {
    at: "1",
    what: "is stated in CONNACK, and ends the connection with 0x93",
    async reach(broker) {
      const { peer, connack } = await broker.accepted(connectPacket({ version: 5 }));
      expect(connack.properties.receiveMaximum).toBe(1);
      for (const packetId of [1, 2]) peer.send(publishPacket("t", "x", { qos: 2, packetId }));
      await peer.nextOf("pubrec");
      expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x93 });
    },
  },
  topic_alias_maximum: {
    at: "1",
    what: "is stated in CONNACK, and ends the connection with 0x94",
    async reach(broker) {
      const { peer, connack } = await broker.accepted(connectPacket({ version: 5 }));
      expect(connack.properties.topicAliasMaximum).toBe(1);
      peer.send(publishPacket("t", "x", { properties: { topicAlias: 2 } }));
      expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x94 });
    },
  },
  packet_size: {
    at: "1KiB",
    what: "is stated in CONNACK, and ends the connection with 0x95 at the header",
    async reach(broker) {
      const { peer, connack } = await broker.accepted(connectPacket({ version: 5 }));
      expect(connack.properties.maximumPacketSize).toBe(1024);
      peer.send(Buffer.from([0x30, 0xff, 0x7f]));
      expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x95 });
    },
  },
  keep_alive: {
    at: "100s",
    what: "is answered with server keep alive, and held to it with 0x8d",
    async reach(broker) {
      const { peer, connack } = await broker.accepted(connectPacket({ version: 5, keepAliveS: 1000 }));
      expect(connack.properties.serverKeepAlive).toBe(100);
      broker.timers.advance(150_001);
      expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x8d });
    },
  },
  session_expiry: {
    at: "10s",
    what: "is answered with what the session gets instead",
    async reach(broker) {
      const { peer, connack } = await broker.accepted(connectPacket({ version: 5, ...staying }));
      expect(connack.properties.sessionExpiryInterval).toBe(10);
      peer.socket.destroy();
      await expect.poll(() => broker.broker.stats().clients).toBe(0);
      broker.timers.advance(10_001);
      expect(broker.broker.stats().sessions).toBe(0);
    },
  },
  sessions: {
    at: "1",
    what: "refuses a further persistent session with 0x97, and others are let in",
    async reach(broker) {
      await broker.join("first", 5, staying);
      const second = broker.dial(5).send(connectPacket({ version: 5, clientId: "second", ...staying }));
      expect(await second.nextOf("connack")).toMatchObject({ reason: 0x97 });
      const older = broker.dial(4).send(connectPacket({ version: 4, clientId: "older", cleanStart: false }));
      expect(await older.nextOf("connack")).toMatchObject({ reason: 3 });
      await broker.join("clean", 5);
    },
  },
  inflight_messages: {
    at: "1",
    what: "lets the next message wait",
    async reach(broker) {
      const peer = await broker.join("p", 5);
      await subscribe(peer, "t", { qos: 1 });
      for (const payload of ["1", "2"]) peer.send(publishPacket("t", payload, { qos: 1 }));
      const first = await peer.untilPong();
      expect(first.filter(({ type }) => type === "publish")).toHaveLength(1);
      expect(broker.broker.stats().queuedMessages).toBe(1);
      peer.send({ type: "puback", packetId: 1, reason: 0, properties: {} });
      expect((await peer.nextOf("publish")).payload.toString()).toBe("2");
    },
  },
  queued_messages: {
    at: "1",
    what: "drops the newest, counted",
    async reach(broker) {
      await leaveSubscriber(broker);
      const peer = await broker.join("p", 5);
      expect([await published(peer, "t", "kept"), await published(peer, "t", "dropped")]).toEqual([0, 0]);
      expect(broker.broker.stats()).toMatchObject({ queuedMessages: 1, dropped: { queueFull: 1 } });
    },
  },
  queued_bytes: {
    at: "2kB",
    what: "drops the newest, counted",
    async reach(broker) {
      await leaveSubscriber(broker);
      const peer = await broker.join("p", 5);
      await published(peer, "t", "x".repeat(1000));
      await published(peer, "t", "y".repeat(1500));
      expect(broker.broker.stats()).toMatchObject({ queuedMessages: 1, dropped: { queueFull: 1 } });
    },
  },
  subscriptions: {
    at: "1",
    what: "refuses a further one with 0x97 in SUBACK",
    async reach(broker) {
      const peer = await broker.join("p", 5);
      expect([await subscribe(peer, "a"), await subscribe(peer, "b")]).toEqual([[0], [0x97]]);
      const older = await broker.join("older", 4);
      expect([await subscribe(older, "a"), await subscribe(older, "b")]).toEqual([[0], [0x80]]);
    },
  },
  topic_levels: {
    at: "2",
    what: "ends the connection, with 0x81",
    async reach(broker) {
      const publisher = await broker.join("p", 5);
      publisher.send(publishPacket("a/b", "x"), publishPacket("a/b/c/d", "x"));
      expect(await publisher.nextOf("disconnect")).toMatchObject({ reason: 0x81 });
      const subscriber = await broker.join("s", 5);
      const filter = {
        filter: "a/b/c/d",
        qos: 0,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0,
      } as const;
      subscriber.send({ type: "subscribe", packetId: 1, subscriptions: [filter], properties: {} });
      expect(await subscriber.nextOf("disconnect")).toMatchObject({ reason: 0x81 });
    },
  },
  retained_messages: {
    at: "1",
    what: "delivers a further one, does not retain it, and says 0x97",
    async reach(broker) {
      const peer = await broker.join("p", 5);
      expect([await published(peer, "a", "x", true), await published(peer, "b", "x", true)]).toEqual([0x10, 0x97]);
      expect(broker.broker.stats().retainedMessages).toBe(1);
      expect(await published(peer, "a", "", true)).toBe(0x10);
      expect(await published(peer, "b", "x", true)).toBe(0x10);
    },
  },
  retained_bytes: {
    at: "2kB",
    what: "delivers a further one, does not retain it, and says 0x97",
    async reach(broker) {
      const peer = await broker.join("p", 5);
      const large = "x".repeat(1500);
      expect([await published(peer, "a", large, true), await published(peer, "b", large, true)]).toEqual([0x10, 0x97]);
      expect(broker.broker.stats().retainedMessages).toBe(1);
    },
  },
  memory: {
    at: "16MiB",
    what: "refuses with 0x97 whatever would be held beyond it",
    async reach(broker) {
      const peer = await broker.join("p", 5);
      const large = "x".repeat(1_900_000);
      for (let i = 0; i < 8; i++) expect(await published(peer, `t/${i}`, large, true)).toBe(0x10);
      peer.send(publishPacket("t/8", large, { qos: 1, retain: true }));
      expect(await peer.next()).toMatchObject({ reason: 0x97 });
      expect(refusals(broker)).toEqual({ "0x97": 1 });
    },
  },
  connect_timeout: {
    at: "3s",
    what: "closes a connection without CONNECT, counted",
    async reach(broker) {
      const peer = broker.dial();
      await expect.poll(() => broker.broker.stats().connections).toBe(1);
      broker.timers.advance(3001);
      expect(await peer.untilClosed()).toHaveLength(0);
      expect(broker.broker.stats().refusedAt.timeout).toBe(1);
    },
  },
  connections_per_address: {
    at: "1",
    what: "closes a further connection at once, counted",
    async reach(broker) {
      await broker.join("first", 5);
      expect(await broker.dial().untilClosed()).toHaveLength(0);
      expect(broker.broker.stats().refusedAt.address_full).toBe(1);
    },
  },
  publish_rate: {
    at: "1",
    what: "ends the connection with 0x96",
    async reach(broker) {
      const peer = await broker.join("p", 5);
      for (let i = 0; i < 3; i++) peer.send(publishPacket("t", "x"));
      expect(await peer.nextOf("disconnect")).toMatchObject({ reason: 0x96 });
      expect(refusals(broker)).toEqual({ "0x96": 1 });
    },
  },
};

test.each(Object.entries(cases).map(([limit, one]) => ({ limit, ...one })))(
  "broker.limits.$limit, once reached: $what",
  async ({ limit, at, reach }) => {
    await using broker = await under(limit, at);
    await reach(broker);
  },
);

test("what happens at each limit of the configuration is tested here", () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../config/fieldpost.schema.json"), "utf8"));
  expect(Object.keys(cases)).toEqual(Object.keys(schema.properties.broker.properties.limits.properties));
});
