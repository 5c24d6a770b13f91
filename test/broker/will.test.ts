import { describe, expect, test } from "vitest";
import type { ConnectPacket, Version, WillMessage } from "../../src/broker/codec/packets.ts";
import { openTestBroker, subscribe, type TestBroker } from "./support/broker.ts";
import type { Peer } from "./support/peer.ts";

const will: WillMessage = { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: false, properties: {} };
const delayed = (s: number): WillMessage => ({ ...will, properties: { willDelayInterval: s } });
const kept = (s: number): Partial<ConnectPacket> => ({ cleanStart: false, properties: { sessionExpiryInterval: s } });

async function watch(broker: TestBroker): Promise<Peer> {
  const watcher = await broker.join("watcher", 5, { keepAliveS: 0 });
  await subscribe(watcher, "w", { qos: 0 });
  return watcher;
}

/** Cuts the connection, and waits until the broker has noticed. */
async function cut(broker: TestBroker, peer: Peer): Promise<void> {
  const clients = broker.broker.stats().clients;
  peer.socket.destroy();
  await expect.poll(() => broker.broker.stats().clients).toBe(clients - 1);
}

describe("wills", () => {
  test.each([4, 5] as const satisfies Version[])(
    "[MQTT-3.1.2-8] one is published when its client goes without a word (protocol level %i)",
    async (version) => {
      await using broker = await openTestBroker();
      const watcher = await watch(broker);
      await cut(broker, await broker.join("p", version, { will }));
      expect(await watcher.nextOf("publish")).toMatchObject({ topic: "w", payload: Buffer.from("gone") });
      expect(await watcher.untilPong()).toEqual([]);
    },
  );

  test("[MQTT-3.14.4-3] one is dropped with a goodbye", async () => {
    await using broker = await openTestBroker();
    const watcher = await watch(broker);
    const peer = await broker.join("p", 5, { will });
    await peer.send({ type: "disconnect", reason: 0, properties: {} }).untilClosed();
    expect(await watcher.untilPong()).toEqual([]);
  });

  test("one is published with a goodbye that asks for it, and after a protocol error", async () => {
    await using broker = await openTestBroker();
    const watcher = await watch(broker);
    (await broker.join("p", 5, { will })).send({ type: "disconnect", reason: 4, properties: {} });
    await watcher.nextOf("publish");
    (await broker.join("p", 5, { will })).sendHex("00");
    await watcher.nextOf("publish");
  });

  test("[MQTT-3.1.2-14] [MQTT-3.1.2-15] one is retained if it says so, with its properties", async () => {
    await using broker = await openTestBroker();
    const properties = {
      contentType: "t",
      messageExpiryInterval: 50,
      userProperties: [["k", "v"]] as [string, string][],
    };
    await cut(broker, await broker.join("p", 5, { will: { ...will, retain: true, properties } }));
    broker.timers.advance(20_000);
    const watcher = await watch(broker);
    const expected = { retain: true, properties: { ...properties, messageExpiryInterval: 30 } };
    expect(await watcher.nextOf("publish")).toMatchObject(expected);
  });

  test("a delayed one waits, and is published when its client stays away", async () => {
    await using broker = await openTestBroker();
    const watcher = await watch(broker);
    await cut(broker, await broker.join("p", 5, { ...kept(100), will: delayed(10) }));
    broker.timers.advance(9999);
    expect(await watcher.untilPong()).toEqual([]);
    broker.timers.advance(1);
    await watcher.nextOf("publish");
    broker.timers.advance(200_000);
    expect((await watcher.untilPong()).filter(({ type }) => type === "publish")).toEqual([]);
  });

  test("[MQTT-3.1.3-9] a delayed one is not published when its client comes back in time", async () => {
    await using broker = await openTestBroker();
    const watcher = await watch(broker);
    await cut(broker, await broker.join("p", 5, { ...kept(100), will: delayed(10) }));
    broker.timers.advance(5000);
    await broker.join("p", 5, kept(100));
    broker.timers.advance(20_000);
    expect(await watcher.untilPong()).toEqual([]);
  });

  test.each([
    ["its session expires", kept(3), 3000],
    ["its session ends with the connection", {}, 0],
  ])("a delayed one is published as soon as %s", async (_what, session, afterMs) => {
    await using broker = await openTestBroker();
    const watcher = await watch(broker);
    await cut(broker, await broker.join("p", 5, { ...session, will: delayed(10) }));
    broker.timers.advance(afterMs);
    await watcher.nextOf("publish");
  });

  test("one is published when another client takes the id over", async () => {
    await using broker = await openTestBroker();
    const watcher = await watch(broker);
    await broker.join("p", 5, { will });
    await broker.join("p", 5);
    await watcher.nextOf("publish");
  });

  test("one is not published by a client that may not write there", async () => {
    await using broker = await openTestBroker({ authorise: (_who, access) => access === "read" });
    const watcher = await watch(broker);
    await cut(broker, await broker.join("p", 5, { will }));
    expect(await watcher.untilPong()).toEqual([]);
  });
});
