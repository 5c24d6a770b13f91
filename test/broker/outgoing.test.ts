import { describe, expect, test } from "vitest";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";

describe("what goes to one client", () => {
  test("[MQTT-4.6.0-5] keeps the publisher's order, in the window and behind it", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 5 } });
    const [publisher, subscriber] = [await broker.join("p", 5), await broker.join("s", 5)];
    await subscribe(subscriber, "a", { qos: 1 });
    for (let i = 0; i < 200; i++) publisher.send(publishPacket("a", `${i}`, { qos: 1, packetId: i + 1 }));
    for (let i = 0; i < 200; i++) {
      const { payload, packetId } = await subscriber.nextOf("publish");
      expect(payload.toString()).toBe(`${i}`);
      subscriber.send({ type: "puback", packetId, reason: 0, properties: {} });
    }
    expect(broker.broker.stats().dropped.queueFull).toBe(0);
  });

  test("leaves in one write a turn", async () => {
    await using broker = await openTestBroker();
    const [publisher, subscriber] = [await broker.join("p", 4), await broker.join("s", 4)];
    await subscribe(subscriber, "a");
    const chunks: number[] = [];
    subscriber.socket.on("data", (chunk: Buffer) => chunks.push(chunk.length));
    publisher.send(...Array.from({ length: 100 }, () => publishPacket("a", "x")));
    for (let i = 0; i < 100; i++) await subscriber.nextOf("publish");
    expect(chunks).toEqual([600]);
  });

  test("is each client's own, though it is written once: packet identifiers do not mix", async () => {
    await using broker = await openTestBroker();
    const [publisher, ahead, fresh] = [await broker.join("p", 5), await broker.join("a", 5), await broker.join("f", 5)];
    await subscribe(ahead, "#", { qos: 1 });
    publisher.send(publishPacket("first", "x", { qos: 1 }));
    await ahead.nextOf("publish");
    await subscribe(fresh, "#", { qos: 1 });
    publisher.send(publishPacket("second", "x", { qos: 1 }));
    expect((await ahead.nextOf("publish")).packetId).toBe(2);
    expect((await fresh.nextOf("publish")).packetId).toBe(1);
  });

  test("outlives the chunk it came in, whoever keeps it", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 1 } });
    const [publisher, subscriber] = [await broker.join("p", 5), await broker.join("s", 4)];
    await subscribe(subscriber, "a/#", { qos: 1 });
    const properties = { contentType: "some/type" };
    for (let i = 0; i < 50; i++)
      publisher.send(publishPacket(`a/${i}`, `payload ${i}`, { qos: 1, packetId: i + 1, retain: true, properties }));
    for (let i = 0; i < 50; i++) await publisher.nextOf("puback");
    publisher.send(publishPacket("noise", "\xff".repeat(60_000)));
    for (let i = 0; i < 50; i++) {
      const { topic, payload, packetId } = await subscriber.nextOf("publish");
      expect([topic, payload.toString()]).toEqual([`a/${i}`, `payload ${i}`]);
      subscriber.send({ type: "puback", packetId, reason: 0, properties: {} });
    }
    const late = await broker.join("late", 5);
    await subscribe(late, "a/49");
    expect(await late.nextOf("publish")).toMatchObject({ payload: Buffer.from("payload 49"), properties });
  });
});
