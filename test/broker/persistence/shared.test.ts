import { describe, expect, test } from "vitest";
import { subscribe } from "../support/broker.ts";
import type { Peer } from "../support/peer.ts";
import { publishPacket } from "../support/peer.ts";
import { Disk } from "./disk.ts";

const staying = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

async function acknowledged(publisher: Peer, payload: string, qos: 1 | 2): Promise<void> {
  publisher.send(publishPacket("t", payload, { qos }));
  await publisher.nextOf(qos === 1 ? "puback" : "pubrec");
  if (qos === 2) publisher.send({ type: "pubrel", packetId: 1, reason: 0, properties: {} });
  if (qos === 2) await publisher.nextOf("pubcomp");
}

describe.each([0, 5000])("with a persistence window of %d ms, after a restart", (windowMs) => {
  test("what a member of a shared subscription left when its session ended goes to another, but QoS 2 under way", async () => {
    using disk = new Disk();
    {
      await using before = await disk.broker(windowMs);
      const gone = await before.join("gone", 5, staying);
      await subscribe(gone, "$share/g/t", { qos: 2 }, { subscriptionIdentifiers: [3] });
      await subscribe(gone, "own", { qos: 1 });
      const publisher = await before.join("publisher", 5);
      await acknowledged(publisher, "under way at QoS 1", 1);
      await acknowledged(publisher, "under way at QoS 2", 2);
      await gone.nextOf("publish");
      await gone.nextOf("publish");
      gone.send({ type: "disconnect", reason: 0, properties: {} });
      await gone.untilClosed();
      await acknowledged(publisher, "queued", 1);
      publisher.send(publishPacket("own", "its own", { qos: 1 }));
      await publisher.nextOf("puback");
    }
    await using after = await disk.broker(windowMs);
    const member = await after.join("member", 5, staying);
    await subscribe(member, "$share/g/t", { qos: 1 });
    expect(await member.untilPong()).toEqual([]);
    after.timers.advance(61_000);
    const received = await member.untilPong();
    expect(received.map((packet) => packet.type === "publish" && packet.payload.toString())).toEqual([
      "under way at QoS 1",
      "queued",
    ]);
  });

  test("each message of a shared subscription is still with the one member that it was chosen for", async () => {
    using disk = new Disk();
    {
      await using before = await disk.broker(windowMs);
      for (const clientId of ["one", "two"]) {
        const member = await before.join(clientId, 5, staying);
        await subscribe(member, "$share/g/t", { qos: 2 });
        await member.send({ type: "disconnect", reason: 0, properties: {} }).untilClosed();
      }
      const publisher = await before.join("publisher", 5);
      for (const payload of ["1", "2", "3", "4"]) await acknowledged(publisher, payload, 2);
    }
    await using after = await disk.broker(windowMs);
    const received: string[] = [];
    for (const clientId of ["one", "two"])
      for (const packet of await (await after.join(clientId, 5, staying)).untilPong())
        if (packet.type === "publish") received.push(packet.payload.toString());
    expect(received.sort()).toEqual(["1", "2", "3", "4"]);
  });
});
