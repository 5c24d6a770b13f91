import { expect, test } from "vitest";
import { subscribe } from "../support/broker.ts";
import { connectPacket, Peer, publishPacket } from "../support/peer.ts";
import { BrokerProcess } from "./process.ts";

const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };

async function enter(port: number, clientId: string, with_ = {}): Promise<Peer> {
  const peer = new Peer({ host: "127.0.0.1", port }, 5);
  peer.send(connectPacket({ clientId, version: 5, ...with_ }));
  await peer.nextOf("connack");
  return peer;
}

test("SIGTERM says 0x8b to every client, and leaves everything on the disk whatever the window", {
  timeout: 120_000,
}, async () => {
  await using broker = new BrokerProcess("1h");
  await broker.start();
  const away = await enter(broker.port, "away", lasting);
  await subscribe(away, "t", { qos: 1 });
  away.send({ type: "disconnect", reason: 0, properties: {} });
  await away.untilClosed();
  const publisher = await enter(broker.port, "publisher");
  publisher.send(publishPacket("t", "kept", { qos: 1, retain: true }));
  expect(await publisher.nextOf("puback")).toMatchObject({ reason: 0 });
  broker.signal("SIGTERM");
  expect(await publisher.nextOf("disconnect")).toMatchObject({ reason: 0x8b });
  await broker.ended();
  expect(broker.errors).toBe("");
  // The database alone: what was staged in memory is lost with the power.
  await using copy = broker.copy();
  await copy.start();
  const back = await enter(copy.port, "away", lasting);
  expect((await back.nextOf("publish")).payload.toString()).toBe("kept");
  const reader = await enter(copy.port, "reader");
  await subscribe(reader, "t");
  expect((await reader.nextOf("publish")).retain).toBe(true);
  for (const peer of [back, reader]) peer[Symbol.dispose]();
});
