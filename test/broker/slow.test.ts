import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { Client } from "../../src/broker/client.ts";
import type { BrokerContext } from "../../src/broker/context.ts";
import { defaultLimits } from "../../src/broker/limits.ts";
import type { Session } from "../../src/broker/sessions/session.ts";
import { newStats } from "../../src/broker/stats.ts";
import { Turn } from "../../src/broker/turn.ts";
import { openTestBroker, subscribe } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";
import { FakeTimers } from "./support/timers.ts";

const payload = "x".repeat(50_000);

describe("a client that does not read", () => {
  test("does not hold up others, and loses QoS 0 past its queue", async () => {
    await using broker = await openTestBroker({ limits: { queuedBytes: 1_000_000 } });
    const [publisher, stuck, healthy] = [
      await broker.join("p", 5),
      await broker.join("stuck", 5),
      await broker.join("h", 5),
    ];
    await subscribe(stuck, "a");
    await subscribe(healthy, "a");
    stuck.socket.pause();
    let received = 0;
    // Enough to fill the kernel's buffers and the queue: about 20 MB.
    for (let i = 0; i < 400; i++) {
      publisher.send(publishPacket("a", payload));
      await healthy.nextOf("publish");
      received++;
    }
    expect(received).toBe(400);
    expect(broker.broker.stats()).toMatchObject({ clients: 3, dropped: { slow: expect.any(Number) } });
    expect(broker.broker.stats().dropped.slow).toBeGreaterThan(100);
    stuck.socket.resume();
    const late = await stuck.untilPong();
    expect(late.length + broker.broker.stats().dropped.slow).toBe(400);
  });

  test("is disconnected when it drops and takes nothing for longer than a while", async () => {
    await using broker = await openTestBroker({ limits: { queuedBytes: 1_000_000, stallMs: 5000 } });
    const [publisher, stuck] = [await broker.join("p", 5), await broker.join("stuck", 5)];
    await subscribe(stuck, "a");
    stuck.socket.pause();
    while (broker.broker.stats().dropped.slow === 0) {
      publisher.send(publishPacket("a", payload, { qos: 1 }));
      await publisher.nextOf("puback");
    }
    broker.timers.advance(5001);
    publisher.send(publishPacket("a", payload));
    await expect.poll(() => broker.broker.stats().clients).toBe(1);
    expect(broker.logged.at(-1)?.fields).toMatchObject({
      clientId: "stuck",
      reason: "it does not read what waits for it",
    });
  });
});

describe("a client that does not acknowledge", () => {
  test("loses the newest past its queue, and is disconnected with 0x97 when that goes on", async () => {
    await using broker = await openTestBroker({ limits: { inflightMessages: 2, queuedMessages: 3, stallMs: 5000 } });
    const [publisher, silent] = [await broker.join("p", 5), await broker.join("silent", 5)];
    await subscribe(silent, "a", { qos: 1 });
    const publish = async (text: string) => {
      publisher.send(publishPacket("a", text, { qos: 1 }));
      await publisher.nextOf("puback");
    };
    for (const text of ["1", "2", "3", "4", "5", "dropped"]) await publish(text);
    expect(await silent.untilPong()).toHaveLength(2);
    expect(broker.broker.stats().dropped.queueFull).toBe(1);
    broker.timers.advance(5001);
    silent.send({ type: "puback", packetId: 1, reason: 0, properties: {} });
    expect((await silent.nextOf("publish")).payload.toString()).toBe("3");
    await publish("6");
    await publish("dropped, but it goes on");
    expect(broker.broker.stats().clients).toBe(2);
    broker.timers.advance(5001);
    publisher.send(publishPacket("a", "dropped, and it does not", { qos: 1 }));
    expect(await silent.nextOf("disconnect")).toMatchObject({ reason: 0x97 });
  });
});

describe("a client that asks without end and does not read the answers", () => {
  test("is not read either, so that its answers do not pile up", async () => {
    await using broker = await openTestBroker();
    const peer = await broker.join("p", 5);
    peer.socket.pause();
    const pings = Buffer.alloc(1 << 20, Buffer.from([0xc0, 0]));
    for (let i = 0; i < 30; i++) peer.socket.write(pings);
    const read = () => broker.broker.stats().bytesReceived;
    let before = -1;
    await expect
      .poll(
        () => {
          const stands = read() === before;
          before = read();
          return stands;
        },
        { interval: 100, timeout: 15_000 },
      )
      .toBe(true);
    expect(read()).toBeLessThan(30 << 20);
  });
});

test("what waits for a client is counted while it waits, and no longer when it goes", async () => {
  await using broker = await openTestBroker();
  const [publisher, stuck, silent] = [await broker.join("p", 5), await broker.join("x", 5), await broker.join("s", 5)];
  await subscribe(stuck, "a");
  await subscribe(silent, "a", { qos: 1 });
  stuck.socket.pause();
  for (let i = 0; i < 200; i++) {
    publisher.send(publishPacket("a", payload, { qos: 1 }));
    await publisher.nextOf("puback");
  }
  expect(broker.broker.stats().queuedBytes).toBeGreaterThan(180 * 50_000);
  stuck.socket.destroy();
  silent.socket.destroy();
  await expect.poll(() => broker.broker.stats()).toMatchObject({ clients: 1, queuedBytes: 0 });
});

test("a client whose answers wait for the disk is not read past ten thousand of them", async () => {
  const journal = { head: 1, safe: 0, wait: () => {} };
  const context = { limits: defaultLimits, stats: newStats(), timers: new FakeTimers(), turn: new Turn(), journal };
  const transport = Object.assign(new PassThrough(), { setNoDelay: () => {}, destroySoon: () => {} });
  const client = new Client(transport, { path: "none" }, "none", context as unknown as BrokerContext);
  client.opened({} as Session, 0);
  client.parser.feed(Buffer.from([0x10, 1])); // the connection has begun with a CONNECT, which is forgotten
  client.parser.release();
  client.sendWhenSafe(Buffer.from([0x40, 2, 0, 1]));
  const pings = (count: number) => Buffer.concat(new Array(count).fill(Buffer.from([0xc0, 0])));
  transport.emit("data", pings(9_999));
  expect(transport.isPaused()).toBe(false);
  transport.emit("data", pings(1));
  expect(transport.isPaused()).toBe(true);
});
