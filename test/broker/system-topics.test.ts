import { expect, test } from "vitest";
import { openTestBroker, subscribe, type TestBroker } from "./support/broker.ts";
import { publishPacket } from "./support/peer.ts";

async function read(broker: TestBroker, filter = "$SYS/#"): Promise<Record<string, string>> {
  const reader = await broker.join("reader", 5);
  await subscribe(reader, filter);
  const values: Record<string, string> = {};
  for (const packet of await reader.untilPong())
    if (packet.type === "publish") values[packet.topic.replace("$SYS/broker/", "")] = packet.payload.toString();
  reader.send({ type: "disconnect", reason: 0, properties: {} });
  await reader.untilClosed();
  return values;
}

test("the broker's own topics are retained under Mosquitto's names, and kept up to date", async () => {
  await using broker = await openTestBroker({ sysIntervalMs: 10_000, product: "fieldpost version 1" });
  expect(await read(broker, "$SYS/broker/uptime")).toEqual({ uptime: "0 seconds" });
  const peer = await broker.join("p", 5, { keepAliveS: 0 });
  await subscribe(peer, "a");
  await subscribe(peer, "$share/g/a");
  peer.send(publishPacket("a", "12345", { qos: 1 }));
  await peer.untilPong();
  broker.timers.advance(10_000);
  expect(await read(broker)).toMatchObject({
    version: "fieldpost version 1",
    uptime: "10 seconds",
    "clients/total": "1",
    "clients/connected": "1",
    "clients/disconnected": "0",
    "subscriptions/count": "2",
    "shared_subscriptions/count": "1",
    "publish/messages/received": "1",
    "publish/messages/sent": "3",
    "publish/bytes/received": "5",
    "load/publish/received/1min": "0.92",
    "load/publish/received/15min": "0.07",
    "load/connections/1min": "1.84",
  });
});

test("they are not there unless they are asked for", async () => {
  await using broker = await openTestBroker();
  broker.timers.advance(100_000);
  expect(await read(broker)).toEqual({});
});

test("a subscriber is sent what changed", async () => {
  await using broker = await openTestBroker({ sysIntervalMs: 1000 });
  const peer = await broker.join("p", 5);
  await subscribe(peer, "$SYS/broker/uptime", { retainHandling: 2 });
  await subscribe(peer, "$SYS/broker/version", { retainHandling: 2 });
  broker.timers.advance(2000);
  const payloads = (await peer.untilPong()).map((packet) => packet.type === "publish" && packet.payload.toString());
  expect(payloads).toEqual(["1 seconds", "2 seconds"]);
});
