import { describe, expect, test } from "vitest";
import { Suspects } from "../../src/uplink/backlog/suspects.ts";
import type { LinkEnd, Publication } from "../../src/uplink/link.ts";
import { startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench } from "./bench.ts";
import { answers, polite, scriptedBroker } from "./scripted-broker.ts";

const message = (id: number): Publication => ({ topic: "t", payload: "", qos: 1, id });
const dropped = (...unanswered: Publication[]): LinkEnd => ({ message: "lost", byBroker: true, unanswered });

describe("who is to blame when the broker drops the link", () => {
  test("all that were under way go alone; one that was so three times is guilty", () => {
    const suspects = new Suspects();
    expect(suspects.ended(dropped(message(1), message(2), message(3)))).toBeUndefined();
    expect([1, 2, 3, 4].map((id) => suspects.has(message(id)))).toEqual([true, true, true, false]);
    suspects.acquit(message(1));
    expect(suspects.has(message(1))).toBe(false);
    expect(suspects.ended(dropped(message(2)))).toBeUndefined();
    expect(suspects.isOnProbation(message(2))).toBe(true);
    expect(suspects.ended(dropped(message(2)))).toMatchObject({ id: 2 });
  });

  test("a link that breaks before the last try clears it, for that was not its doing", () => {
    const suspects = new Suspects();
    suspects.ended(dropped(message(1)));
    suspects.ended(dropped(message(1)));
    suspects.ended(dropped());
    expect(suspects.has(message(1))).toBe(false);
  });

  test.each([
    ["we ended it", { byBroker: false }],
    ["it is over its quota", { code: 0x97 }],
    ["it shuts down", { code: 0x8b }],
  ])("nobody is when %s", (_title, how) => {
    const suspects = new Suspects();
    for (let count = 0; count < 5; count++) {
      expect(suspects.ended({ ...dropped(message(1)), ...how })).toBeUndefined();
    }
    expect(suspects.has(message(1))).toBe(false);
  });
});

describe("a retained message that a broker drops the link over", () => {
  test("is not sent any more after three times under MQTT 3.1.1, the rest goes on, and it is a fault", async () => {
    await using broker = await startMosquitto({ global: ["max_packet_size 2000"] });
    const large = { topic: "homeassistant/device/gw1/d1/config", payload: "x".repeat(3000), device: "d1" };
    await using one = bench({ urls: [broker.url], protocol: "3.1.1" }, { discovery: () => [large] });
    one.sample("d1", 1);
    await waitFor(() => one.store.counters().delivered === 1, "the reading behind it", 15_000);
    expect(one.uplink.faults()).toMatchObject([
      { code: "BROKER_REFUSED", message: expect.stringContaining(large.topic) },
    ]);
    expect(one.log.lines.filter(({ message }) => message === "connected to the broker")).toHaveLength(4);
    expect(one.uplink.linkState().connected).toBe(true);
  });

  test("is sent again as it is when the fault is cleared, and then is one again", async () => {
    await using broker = await startMosquitto({ global: ["max_packet_size 2000"] });
    const large = { topic: "homeassistant/device/gw1/d1/config", payload: "x".repeat(3000) };
    await using one = bench({ urls: [broker.url], protocol: "3.1.1" }, { discovery: () => [large] });
    const isFault = () => one.uplink.faults().some(({ message }) => message.includes("drops the connection over"));
    expect(one.uplink.clearFaults()).toBe(false);
    await waitFor(isFault, "the fault");
    const connections = () => one.log.lines.filter(({ message }) => message === "connected to the broker").length;
    await waitFor(() => one.uplink.linkState().connected, "a connection");
    const before = connections();
    expect(one.uplink.clearFaults()).toBe(true);
    await waitFor(() => isFault() && connections() > before, "the fault again");
  });

  test("is sent again once it is smaller", async () => {
    await using broker = await startMosquitto({ global: ["max_packet_size 2000"] });
    let payload = "x".repeat(3000);
    const topic = "homeassistant/device/gw1/d1/config";
    await using one = bench({ urls: [broker.url], protocol: "3.1.1" }, { discovery: () => [{ topic, payload }] });
    await waitFor(() => one.uplink.faults().some(({ code }) => code === "BROKER_REFUSED"), "the fault", 15_000);
    await waitFor(() => one.uplink.linkState().connected);
    payload = "small";
    await waitFor(async () => {
      one.uplink.announce();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return one.uplink.faults().length === 0;
    });
    expect(broker.log()).toContain(`'${topic}', ... (5 bytes)`);
  });
});

test("a broker that breaks every link after a while costs no reading, whichever was under way", async () => {
  const end = new Set<number>();
  await using broker = await scriptedBroker(
    polite(({ id, payload }, socket, connection) => {
      const { seq } = JSON.parse(payload);
      // The first four connections break after two more readings each, with nothing said of why.
      if (connection <= 4 && seq > connection * 2 && !end.has(connection)) {
        end.add(connection);
        socket.destroy();
      } else if (!socket.destroyed) socket.write(answers.puback(id));
    }),
  );
  await using one = bench({ urls: [broker.url] });
  for (let value = 1; value <= 60; value++) one.sample("d1", value);
  await waitFor(() => one.store.counters().pending === 0, "everything delivered", 15_000);
  expect(one.store.counters()).toMatchObject({ delivered: 60, dropped: {} });
});
