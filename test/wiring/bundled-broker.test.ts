import type { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { bundledBroker } from "../../src/wiring/bundled-broker.ts";
import { Disk } from "../broker/persistence/disk.ts";
import { openTestBroker, subscribe } from "../broker/support/broker.ts";
import { connectPacket, publishPacket } from "../broker/support/peer.ts";

const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

test("the facts of the bundled broker say what it holds, dropped and refused, in the payloads' case", async () => {
  await using broker = await openTestBroker({ limits: { sessions: 1, queuedMessages: 1 } });
  const away = await broker.join("away", 5, lasting);
  await subscribe(away, "t", { qos: 1 });
  away.send({ type: "disconnect", reason: 0, properties: {} });
  await away.untilClosed();
  const refused = broker.dial().send(connectPacket({ version: 5, clientId: "other", ...lasting }));
  await refused.nextOf("connack");
  const publisher = await broker.join("publisher", 5);
  for (const payload of ["kept", "dropped"]) {
    publisher.send(publishPacket("t", payload, { qos: 1, retain: true }));
    await publisher.nextOf("puback");
  }
  const { facts, faults } = bundledBroker(broker.broker);
  expect(facts()).toEqual({
    clients: 1,
    sessions: 2,
    subscriptions: 1,
    retained: { messages: 1, bytes: expect.any(Number) },
    queued: { messages: 1, bytes: expect.any(Number) },
    dropped: { queue_full: 1 },
    refused_connections: { no_room: 1 },
    refusals: { "0x97": 1 },
  });
  expect(faults()).toEqual([]);
});

test("a database of the bundled broker that takes nothing is a fault with its code", async () => {
  using disk = new Disk();
  const workers: Worker[] = [];
  const keep = (worker: Worker) => void workers.push(worker);
  process.on("worker", keep);
  await using broker = await disk.broker(0);
  process.off("worker", keep);
  const { faults } = bundledBroker(broker.broker);
  await workers.at(-1)?.terminate();
  const publisher = await broker.join("publisher", 5);
  publisher.send(publishPacket("t", "x", { qos: 1, retain: true }));
  await expect.poll(() => faults().map(({ code }) => code)).toEqual(["STORE_IO"]);
});
