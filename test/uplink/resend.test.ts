import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { encodePacket } from "../../src/broker/codec/codec.ts";
import { waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";
import { answers, polite, scriptedBroker } from "./scripted-broker.ts";

/** A broker that answers for every reading but those that come once more, and is gone at the second of them. */
async function leavingBroker(): Promise<{ broker: Awaited<ReturnType<typeof scriptedBroker>>; socket(): Socket }> {
  let socket: Socket | undefined;
  const broker = await scriptedBroker(
    polite(({ id, payload }, from) => {
      socket = from;
      const { seq, replay } = JSON.parse(payload);
      if (!replay) from.write(answers.puback(id));
      else if (seq === 2) from.destroy();
    }),
  );
  return { broker, socket: () => socket as Socket };
}

describe("a connection that is lost while something is sent slowly once more, which is not answered yet,", () => {
  test("to a consumer, is lost like any other", async () => {
    const { broker } = await leavingBroker();
    await using _broker = broker;
    await using one = bench({ urls: [broker.url], consumers: ["sql"], receiptTimeoutMs: 200, drainRate: 10 });
    await waitFor(() => one.uplink.linkState().connected);
    for (let value = 1; value <= 6; value++) one.sample("d1", value);
    await waitFor(() => broker.connections() > 1);
    await expect(one.stop()).resolves.toBeUndefined(); // and nothing is rejected that nobody handles: Vitest sees to that
  });

  test("to who asked for a range, is lost like any other", async () => {
    const { broker, socket } = await leavingBroker();
    await using _broker = broker;
    await using one = bench({ urls: [broker.url], drainRate: 10 });
    await waitFor(() => one.uplink.linkState().connected);
    for (let value = 1; value <= 6; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().delivered === 6);
    const payload = Buffer.from('{"epoch":1,"from":1}');
    const flags = { qos: 0, retain: false, dup: false, packetId: 0, properties: {} } as const;
    socket().write(encodePacket({ type: "publish", topic: topics.request("replay"), payload, ...flags }, 5));
    await waitFor(() => broker.connections() > 1);
    await expect(one.stop()).resolves.toBeUndefined(); // and nothing is rejected that nobody handles: Vitest sees to that
  });
});
