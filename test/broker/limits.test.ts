import { describe, expect, test } from "vitest";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { connectPacket, publishPacket } from "./support/peer.ts";

describe("the memory of the broker", () => {
  test("includes packets that have come in part, and who sends more than there is room for goes with 0x97", async () => {
    await using broker = await openTestBroker({ limits: { memoryBytes: 300_000, packetBytes: 1_000_000 } });
    const [patient, greedy] = [await broker.join("patient", 5), await broker.join("greedy", 5)];
    const begun = Buffer.concat([Buffer.from([0x30, 0x90, 0xa1, 0x0f, 0, 1, 0x78, 0]), Buffer.alloc(100_000)]);
    patient.send(begun);
    await expect.poll(() => broker.broker.stats().receivingBytes).toBeGreaterThan(100_000);
    greedy.send(begun, Buffer.alloc(150_000));
    expect(await greedy.nextOf("disconnect")).toMatchObject({ reason: 0x97 });
    patient.send(Buffer.alloc(4));
    expect(broker.broker.stats().clients).toBe(1);
    expect(broker.broker.stats().refusals).toEqual({ "0x97": 1 });
    patient.socket.destroy();
    await expect.poll(() => broker.broker.stats()).toMatchObject({ clients: 0, receivingBytes: 0, queuedBytes: 0 });
  });

  test("is not for those who were not let in yet: a CONNECT is refused from its header where no client needs as much", async () => {
    await using broker = await openTestBroker();
    const largest = broker.dial(5).send(Buffer.from([0x10, 0xfc, 0xff, 0x07]), Buffer.alloc(65_536)); // 131,068 and 4
    await expect.poll(() => broker.broker.stats().receivingBytes).toBeGreaterThan(65_000);
    largest.socket.destroy();
    await broker.dial(5).sendHex("10 fd ff 07").untilClosed();
    expect(broker.logged.at(-1)?.fields).toMatchObject({ reason: "a packet of 131073 bytes" });
  });

  test("gets back what a packet took once it is complete", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("a", 5);
    const whole = Buffer.concat([Buffer.from([0x30, 0xa4, 0x1f, 0, 1, 0x78, 0]), Buffer.alloc(4000)]);
    peer.send(whole.subarray(0, 2000));
    await expect.poll(() => broker.broker.stats().receivingBytes).toBeGreaterThan(0);
    peer.send(whole.subarray(2000));
    expect(await peer.untilPong()).toEqual([]);
    expect(broker.broker.stats()).toMatchObject({ receivingBytes: 0, publishesReceived: 1 });
  });

  test("includes subscriptions, and there are no more of them where there is no room", async () => {
    await using broker = await openTestBroker({ limits: { memoryBytes: 200_000 } });
    const peer = await broker.join("a", 5);
    const long = "l".repeat(60_000);
    expect(await subscribe(peer, long)).toEqual([0]);
    expect(broker.broker.stats().subscriptionBytes).toBeGreaterThan(120_000);
    expect(await subscribe(peer, long.slice(1))).toEqual([0x97]);
    expect(await subscribe(peer, long)).toEqual([0]); // it is there already
    peer.send({ type: "unsubscribe", packetId: 1, filters: [long], properties: {} });
    await peer.nextOf("unsuback");
    expect(broker.broker.stats().subscriptionBytes).toBe(0);
    expect(broker.broker.stats().refusals).toEqual({ "0x97": 1 });
  });

  test("includes what clients have not acknowledged, once for all of them, and what they do not read", async () => {
    await using broker = await openTestBroker({ limits: { memoryBytes: 100_000 } });
    const publisher = await broker.join("publisher", 5);
    const silent = [await broker.join("silent", 5), await broker.join("mute", 5)];
    for (const peer of silent) await subscribe(peer, "a", { qos: 1 });
    const publish = () => publisher.send(publishPacket("a", "x".repeat(30_000), { qos: 1, packetId: 1 }));
    for (let n = 0; n < 4; n++) await publish().nextOf("puback");
    const { stats } = broker.broker;
    const packetIds: number[] = [];
    for (let n = 0; n < 3; n++) packetIds.push((await silent[0]!.nextOf("publish")).packetId);
    expect(await silent[0]!.untilPong()).toEqual([]);
    expect(stats()).toMatchObject({ inflightBytes: 90_003, dropped: { queueFull: 2 } });
    const acknowledge = { type: "puback", packetId: packetIds[0]!, reason: 0, properties: {} } as const;
    silent[0]!.send(acknowledge);
    await silent[0]!.untilPong();
    expect(stats().inflightBytes).toBe(90_003);
    silent[1]!.send(acknowledge);
    await silent[1]!.untilPong();
    expect(stats().inflightBytes).toBe(60_002);
    for (const peer of silent) peer.socket.destroy();
    await expect.poll(stats).toMatchObject({ clients: 1, inflightBytes: 0, queuedBytes: 0 });
  });

  test("includes what is retained", async () => {
    await using broker = await openTestBroker({ limits: { memoryBytes: 100_000 } });
    const peer = await broker.join("a", 5);
    const retained = (topic: string) => publishPacket(topic, "x".repeat(60_000), { qos: 1, packetId: 1, retain: true });
    expect(await peer.send(retained("a")).nextOf("puback")).toMatchObject({ reason: 0x10 });
    expect(await peer.send(retained("b")).nextOf("puback")).toMatchObject({ reason: 0x97 });
    expect(await peer.send(retained("a")).nextOf("puback")).toMatchObject({ reason: 0x10 }); // in place of the first
  });
});

test("what clients are refused with is counted by its reason code", async () => {
  await using broker = await openTestBroker({
    limits: { publishRate: 1, sessions: 0, subscriptions: 1 },
    authorise: (_, __, topic) => topic !== "no",
  });
  const [five, four] = [await broker.join("five", 5), await broker.join("four", 4)];
  await subscribe(five, "a");
  await subscribe(five, "b");
  await subscribe(four, "no");
  five.send(publishPacket("no", "", { qos: 1 }));
  await five.nextOf("puback");
  four.send(publishPacket("a", ""), publishPacket("a", ""));
  await four.untilClosed();
  const properties = { sessionExpiryInterval: 5 };
  await broker
    .dial()
    .send(connectPacket({ clientId: "c", version: 5, properties }))
    .nextOf("connack");
  expect(broker.broker.stats().refusals).toEqual({ "0x87": 2, "0x96": 1, "0x97": 2 });
});
