import { describe, expect, test } from "vitest";
import { openLine } from "../support/line.ts";
import { type Collector, collect, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, device, healthy, topics } from "./bench.ts";
import { answers, CONNECT, polite, scriptedBroker } from "./scripted-broker.ts";

const DEVICES = ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8"];

const unlimited = { global: ["max_queued_messages 0", "max_inflight_messages 0"] };

function seqsOf(collector: Collector, id: string): number[] {
  return collector.on(topics.device(id).readings).map((payload) => JSON.parse(payload).seq);
}

/** Each device's own order, first arrivals only, and nothing missing. */
function expectComplete(collector: Collector, readings: number): void {
  for (const [index, id] of DEVICES.entries()) {
    const first = [...new Set(seqsOf(collector, id))];
    const expected = Array.from({ length: readings / DEVICES.length }, (_, n) => n * DEVICES.length + index + 1);
    expect(first, id).toEqual(expected);
  }
}

function arrived(collector: Collector): number {
  return new Set(DEVICES.flatMap((id) => seqsOf(collector, id))).size;
}

describe("several connections", () => {
  test("share the devices, keep the order of each, and say nothing but readings beside the first", async () => {
    await using broker = await startMosquitto(unlimited);
    await using line = await openLine(broker.port, { delayMs: 25 });
    await using collector = await collect(broker.port, "#");
    await using one = bench({ urls: [line.url], connections: 4 });
    for (const id of DEVICES) one.board.add(device(id), healthy);
    await waitFor(() => line.connections() === 4);
    const readings = 4000;
    for (let n = 0; n < readings; n++) one.sample(DEVICES[n % DEVICES.length] ?? "", n);
    await waitFor(() => one.store.counters().pending === 0, "everything delivered", 20_000);
    await waitFor(() => arrived(collector) === readings);
    expectComplete(collector, readings);
    expect(one.store.counters()).toMatchObject({ delivered: readings, dropped: {} });
    const log = broker.log();
    for (const id of ["gw1-0a1b-2", "gw1-0a1b-3", "gw1-0a1b-4"]) {
      expect(log).toContain(`as ${id} (`);
      expect(log).toContain(`Received PUBLISH from ${id} `);
      expect(log).not.toMatch(new RegExp(`Received PUBLISH from ${id} \\([^)]*r1`));
    }
  });

  test("when one of them breaks, its devices go over the others, and it comes back", async () => {
    await using broker = await startMosquitto(unlimited);
    await using line = await openLine(broker.port, { delayMs: 10 });
    await using collector = await collect(broker.port, topics.device("+").readings);
    await using one = bench({ urls: [line.url], connections: 3 });
    for (const id of DEVICES) one.board.add(device(id), healthy);
    await waitFor(() => line.connections() === 3);
    const readings = 3200;
    for (let n = 0; n < readings; n++) one.sample(DEVICES[n % DEVICES.length] ?? "", n);
    await waitFor(() => one.store.counters().delivered > 500);
    line.cut(2);
    await waitFor(() => one.store.counters().delivered > 1200);
    line.cut(3);
    await waitFor(() => one.store.counters().pending === 0, "everything delivered", 20_000);
    await waitFor(() => arrived(collector) === readings);
    await waitFor(() => line.connections() === 5);
    expectComplete(collector, readings);
    expect(one.uplink.linkState().connected).toBe(true);
    expect(one.log.lines.filter(({ message }) => message === "connected to the broker")).toHaveLength(1);
    await waitFor(() => one.uplink.faults().length === 0);
  });

  test("when the first one breaks all begin anew, without a hole", async () => {
    await using broker = await startMosquitto(unlimited);
    await using line = await openLine(broker.port, { delayMs: 5 });
    await using collector = await collect(broker.port, topics.device("+").readings);
    await using one = bench({ urls: [line.url], connections: 3 });
    for (const id of DEVICES) one.board.add(device(id), healthy);
    await waitFor(() => line.connections() === 3);
    const readings = 2400;
    for (let n = 0; n < readings; n++) one.sample(DEVICES[n % DEVICES.length] ?? "", n);
    await waitFor(() => one.store.counters().delivered > 300);
    line.cut(1);
    await waitFor(() => one.store.counters().pending === 0, "everything delivered", 20_000);
    await waitFor(() => arrived(collector) === readings);
    expectComplete(collector, readings);
    expect(one.store.counters().dropped).toEqual({});
  });

  test("one that the broker does not let in is a fault and keeps nothing back", async () => {
    const script = polite(({ id }, socket) => socket.write(answers.puback(id)));
    await using broker = await scriptedBroker((packet, socket, connection) => {
      if (packet.type === CONNECT && packet.body.includes("gw1-0a1b-2")) socket.end(answers.connack(0x87));
      else script(packet, socket, connection);
    });
    await using one = bench({ urls: [broker.url], connections: 2 });
    for (const id of DEVICES) one.board.add(device(id), healthy);
    for (let n = 0; n < 80; n++) one.sample(DEVICES[n % DEVICES.length] ?? "", n);
    await waitFor(() => one.store.counters().delivered === 80);
    await waitFor(() => one.uplink.faults().some(({ message }) => message.startsWith("connection 2:")));
    expect(one.uplink.linkState().connected).toBe(true);
  });
});
