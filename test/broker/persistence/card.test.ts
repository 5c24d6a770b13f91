import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { Version } from "../../../src/broker/codec/packets.ts";
import { compileSlowCard } from "../../support/slow-card.ts";
import { subscribe } from "../support/broker.ts";
import { connectPacket, Peer, publishPacket } from "../support/peer.ts";
import { BrokerProcess } from "./process.ts";

const directory = mkdtempSync(join(tmpdir(), "fieldpost-card-"));
const card = compileSlowCard(directory);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function enter(broker: BrokerProcess, clientId: string, version: Version, lasting = false): Promise<Peer> {
  const peer = new Peer({ host: "127.0.0.1", port: broker.port }, version);
  const session = lasting ? { cleanStart: false, properties: { sessionExpiryInterval: 3600 } } : {};
  peer.send(connectPacket({ clientId, version, ...session }));
  expect(await peer.nextOf("connack")).toMatchObject({ reason: 0 });
  return peer;
}

/** A subscriber that has gone away, so that what is published to `q` is to be kept. */
async function leaveSubscriber(broker: BrokerProcess): Promise<void> {
  using away = await enter(broker, "away", 5, true);
  await subscribe(away, "q", { qos: 1 });
}

describe.skipIf(card === undefined)("with a card", () => {
  test("that takes 300 ms to sync, acknowledgements wait and everyone else goes on", async () => {
    await using broker = new BrokerProcess("0s", { LD_PRELOAD: card, SYNC_MS: "300" });
    await broker.start();
    await leaveSubscriber(broker);
    using publisher = await enter(broker, "publisher", 5);
    using other = await enter(broker, "other", 5);
    const sentMs = performance.now();
    publisher.send(publishPacket("q", "x", { qos: 1 }));
    let acknowledgedMs = 0;
    void publisher.nextOf("puback").then(() => {
      acknowledgedMs = performance.now() - sentMs;
    });
    let answers = 0;
    for (; acknowledgedMs === 0; answers++) await other.untilPong();
    expect(acknowledgedMs).toBeGreaterThan(290);
    expect(answers).toBeGreaterThan(5);
  });

  test("that is full, what cannot be kept is refused until there is room again", async () => {
    const full = join(directory, "full");
    await using broker = new BrokerProcess("0s", { LD_PRELOAD: card, FULL_WHILE: full });
    await broker.start();
    await leaveSubscriber(broker);
    using first = await enter(broker, "first", 5);
    using second = await enter(broker, "second", 5);
    using old = await enter(broker, "old", 4);
    writeFileSync(full, "");
    first.send(publishPacket("q", "lost", { qos: 1 }));
    expect(await first.nextOf("disconnect")).toMatchObject({ reason: 0x97 });
    second.send(publishPacket("q", "refused", { qos: 1 }));
    expect(await second.nextOf("puback")).toMatchObject({ reason: 0x97 });
    second.send(publishPacket("nobody", "taken", { qos: 1 }));
    expect(await second.nextOf("puback")).toMatchObject({ reason: 0x10 });
    old.send(publishPacket("q", "refused", { qos: 1 }));
    expect(await old.next()).toBe("closed");
    rmSync(full);
    let code = 0x97;
    for (let waitedMs = 0; code === 0x97 && waitedMs < 10_000; waitedMs += 100) {
      second.send(publishPacket("q", "kept", { qos: 1 }));
      code = (await second.nextOf("puback")).reason;
      if (code === 0x97) await sleep(100);
    }
    expect(code).toBe(0);
    broker.signal("SIGKILL");
    await broker.ended();
    await broker.start();
    using away = await enter(broker, "away", 5, true);
    const waiting = await away.untilPong();
    expect(waiting.map((packet) => packet.type === "publish" && packet.payload.toString())).toEqual(["lost", "kept"]);
    expect(broker.errors).toContain("STORE_FULL");
  });
});
