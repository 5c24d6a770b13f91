import { describe, expect, test } from "vitest";
import type { Packet } from "../../src/broker/codec/packets.ts";
import type { BrokerOptions } from "../../src/broker/options.ts";
import { openTestBroker, type TestBroker } from "./support/broker.ts";
import { connectPacket, type Peer, publishPacket } from "./support/peer.ts";

/** Who may write nothing below `no`, and read nothing there. */
const open = (options: Partial<BrokerOptions> = {}) =>
  openTestBroker({ authorise: (_, __, topic) => !topic.startsWith("no"), limits: { subscriptions: 2 }, ...options });

const asks = (maximumPacketSize = 1000) => ({ properties: { requestProblemInformation: true, maximumPacketSize } });

const filter = (name: string) =>
  ({ filter: name, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const;

async function told(peer: Peer, packet: Packet): Promise<string | undefined> {
  const answer = await peer.send(packet).next();
  return answer !== "closed" && "properties" in answer ? answer.properties.reasonString : "no properties";
}

const subscribe = (...filters: string[]): Packet => ({
  type: "subscribe",
  packetId: 1,
  subscriptions: filters.map(filter),
  properties: {},
});
const unsubscribe = (...filters: string[]): Packet => ({ type: "unsubscribe", packetId: 1, filters, properties: {} });

/** What each kind of answer says to a client that takes packets of this size. */
async function everyAnswer(broker: TestBroker, maximumPacketSize: number): Promise<Record<string, string | undefined>> {
  const small = broker.dial().send(connectPacket({ clientId: "b", version: 5, ...asks(maximumPacketSize) }));
  await small.nextOf("connack");
  const noEntry = connectPacket({
    clientId: "c",
    version: 5,
    properties: { ...asks(maximumPacketSize).properties, authenticationMethod: "x" },
  });
  return {
    puback: await told(small, publishPacket("no/x", "", { qos: 1 })),
    pubrec: await told(small, publishPacket("no/x", "", { qos: 2 })),
    suback: await told(small, subscribe("no/x")),
    unsuback: await told(small, unsubscribe("none")),
    disconnect: await told(small, publishPacket("+", "")),
    connack: await told(broker.dial(), noEntry),
  };
}

describe("a client that asks for reasons in words", () => {
  test("gets them with every answer that is not success", async () => {
    await using broker = await open();
    expect(await everyAnswer(broker, 1000)).toEqual({
      puback: "not allowed to publish there",
      pubrec: "not allowed to publish there",
      suback: "not allowed to read there",
      unsuback: "no such subscription",
      disconnect: "the topic is empty or has a wildcard",
      connack: "no authentication method is supported",
    });
  });

  test("gets none with success", async () => {
    await using broker = await open();
    const peer = await broker.join("a", 5, asks());
    expect(await told(peer, subscribe("x"))).toBeUndefined();
    expect(await told(peer, unsubscribe("x"))).toBeUndefined();
    await told(peer, subscribe("y"));
    peer.send(publishPacket("y", "", { qos: 2 }));
    expect(await peer.nextOf("pubrec")).toMatchObject({ reason: 0, properties: {} });
  });

  test("learns which of several filters is meant", async () => {
    await using broker = await open();
    const peer = await broker.join("a", 5, asks());
    expect(await told(peer, subscribe("x", "no/y", "y", "z"))).toBe(
      "filter 2: not allowed to read there; filter 4: no room for another subscription",
    );
    expect(await told(peer, unsubscribe("x", "z"))).toBe("filter 2: no such subscription");
  });

  test("learns that nobody is subscribed, and that nothing more is retained", async () => {
    await using broker = await open({ limits: { retainedMessages: 0 } });
    const peer = await broker.join("a", 5, asks());
    expect(await told(peer, publishPacket("x", "x", { qos: 1 }))).toBe("nobody is subscribed to it");
    for (const qos of [1, 2] as const) {
      const refused = publishPacket("x", "x", { qos, retain: true });
      expect(await told(peer, refused)).toBe("there is no room for another retained message");
    }
  });

  test("[MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.9.2-1] [MQTT-3.11.2-1] [MQTT-3.14.2-3] gets none that would make a packet larger than it takes", async () => {
    await using broker = await open();
    const none = { puback: undefined, pubrec: undefined, suback: undefined, unsuback: undefined };
    expect(await everyAnswer(broker, 25)).toEqual({ ...none, disconnect: undefined, connack: undefined });
    const pubackBytes = 9 + "not allowed to publish there".length;
    expect((await everyAnswer(broker, pubackBytes)).puback).toBe("not allowed to publish there");
    expect((await everyAnswer(broker, pubackBytes - 1)).puback).toBeUndefined();
  });

  test("[MQTT-3.1.2-24] gets no CONNACK at all that is larger than it takes", async () => {
    await using broker = await open();
    const properties = { maximumPacketSize: 4, authenticationMethod: "x" };
    const peer = broker.dial().send(connectPacket({ clientId: "c", version: 5, properties }));
    expect(await peer.next()).toBe("closed");
  });
});
