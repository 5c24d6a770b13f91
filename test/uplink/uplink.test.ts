import { describe, expect, test } from "vitest";
import { openLine } from "../support/line.ts";
import { type Collector, collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, device, gateway, healthy, topics } from "./bench.ts";

const d1 = topics.device("d1");

interface Sent {
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
  readonly clock: string;
  readonly values: Record<string, number>;
  readonly replay: boolean;
}

const readings = (collector: Collector): Sent[] => collector.on(d1.readings).map((payload) => JSON.parse(payload));
const newSeqs = (collector: Collector) => [...new Set(readings(collector).map(({ seq }) => seq))];
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("what it announces", () => {
  test("a connection begins with info, config, discovery, device status and state, and only then says online", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port);
    const config = { topic: "homeassistant/device/gw1/d1/config", payload: "{}", device: "d1" };
    await using one = bench({ urls: [broker.url] }, { discovery: () => [config] });
    one.sample("d1", 21.26);
    await waitFor(() => collector.on(topics.status).includes("online"));

    const order = collector.messages.filter(({ topic }) => !topic.includes("/response/")).map(({ topic }) => topic);
    expect(order.slice(0, 3)).toEqual([topics.info, d1.config, config.topic]);
    expect(order.slice(3, 5).toSorted()).toEqual([d1.state, d1.status]);
    expect(order[5]).toBe(topics.status);
    const sent = (topic: string) => collector.messages.find((message) => message.topic === topic);
    expect(sent(topics.status)).toMatchObject({ retain: true, qos: 1, expirySeconds: 300 });
    expect(sent(d1.status)).toMatchObject({ payload: "online", retain: true, expirySeconds: 300 });
    expect(sent(d1.state)).toMatchObject({ retain: true, expirySeconds: 300 });
    expect(sent(topics.info)).not.toHaveProperty("expirySeconds");
    expect(JSON.parse(sent(d1.state)?.payload ?? "")).toEqual({
      temperature: 21.3,
      time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    // Whose will is published if we die before a word.
    expect([...one.store.ledger.entries.keys()][0]).toBe(topics.status);
    expect([...one.store.ledger.entries.keys()].toSorted()).toEqual(
      [config.topic, d1.config, d1.state, d1.status, topics.health, topics.info, topics.status].toSorted(),
    );
  });

  test("a clean stop leaves offline behind, without an expiry, and no will", async () => {
    await using broker = await startMosquitto();
    const one = bench({ urls: [broker.url] });
    await waitFor(async () => one.uplink.linkState().connected);
    await waitFor(async () => (await retainedOn(broker.port, topics.health)).length > 0);
    await using collector = await collect(broker.port, topics.status);
    await one.stop();
    await waitFor(() => collector.on(topics.status).includes("offline"));
    expect(collector.on(topics.status)).toEqual(["online", "offline"]);
    const [kept] = await retainedOn(broker.port, topics.status);
    expect(kept).toMatchObject({ payload: "offline", retain: true });
    expect(kept).not.toHaveProperty("expirySeconds");
    expect(broker.log()).toMatch(/Received DISCONNECT from gw1-0a1b/);
  });

  test("a gateway that vanishes is offline by its will", async () => {
    await using broker = await startMosquitto();
    await using one = bench({ urls: [broker.url], reconnect: { minMs: 5000, maxMs: 5000, stableMs: 30_000 } });
    await using collector = await collect(broker.port, topics.status);
    await waitFor(() => collector.on(topics.status).includes("online"));
    // Another client under the same id makes the broker cut the first one off, which publishes its will.
    await using _thief = await collect(broker.port, "x", { clientId: "gw1-0a1b" });
    await waitFor(() => collector.on(topics.status).includes("offline"));
    await waitFor(() => !one.uplink.linkState().connected);
  });

  test("a device's health becomes its status, and a device taken out is offline", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port, d1.status);
    await using one = bench({ urls: [broker.url] });
    await waitFor(() => collector.on(d1.status).includes("online"));
    one.board.setHealth("d1", { ...healthy, state: "absent", online: false });
    await waitFor(() => collector.on(d1.status).includes("offline"));
    one.board.setHealth("d1", healthy);
    await waitFor(() => collector.on(d1.status).length === 3);
    one.board.remove("d1");
    await waitFor(() => collector.on(d1.status).length === 4);
    expect(collector.on(d1.status)).toEqual(["online", "offline", "online", "offline"]);
  });

  test("a device that was taken out while the gateway was down is offline after the next start", async () => {
    await using broker = await startMosquitto();
    await using one = bench({ urls: [broker.url] });
    await one.store.ledger.add({ topic: topics.device("gone").status, device: "gone", broker: "" });
    await waitFor(async () => (await retainedOn(broker.port, topics.device("gone").status))[0]?.payload === "offline");
  });

  test("a device that appears while connected is announced", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port);
    const config = { topic: "homeassistant/device/gw1/d2/config", payload: "{}", device: "d2" };
    await using one = bench({ urls: [broker.url] }, { discovery: () => (one?.board.get("d2") ? [config] : []) });
    await waitFor(() => collector.on(topics.health).length > 0);
    one.board.add(device("d2"), healthy);
    await waitFor(() => collector.on(config.topic).length > 0);
    await waitFor(() => collector.on(topics.device("d2").status).includes("online"));
    await waitFor(() => collector.on(topics.info).at(-1)?.includes("d2") === true);
  });

  test("health counts every reading, and lists the faults of devices and store", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port, [topics.health, d1.readings]);
    await using one = bench({ urls: [broker.url], health: { soonestMs: 50, latestMs: 60_000 } });
    for (const value of [1, 2, 3]) one.sample("d1", value);
    await waitFor(() => readings(collector).length === 3);
    one.store.faultList = [{ code: "STORE_FULL", message: "the disk is full" }];
    one.board.setHealth("d1", { ...healthy, state: "failing", code: "CHECKSUM", reason: "bad bytes" });
    await waitFor(() => collector.on(topics.health).at(-1)?.includes("STORE_FULL") === true);
    expect(JSON.parse(collector.on(topics.health).at(-1) ?? "")).toMatchObject({
      sampled: 3,
      delivered: 3,
      pending: 0,
      dropped: {},
      dropped_total: 0,
      clock: "synced",
      faults: [
        { code: "STORE_FULL", message: "the disk is full" },
        { code: "CHECKSUM", message: "bad bytes", device: "d1" },
      ],
      devices: { d1: { state: "failing", online: true, code: "CHECKSUM" } },
    });
  });
});

describe("what it delivers", () => {
  test("it starts without a broker, and delivers every reading in order when one comes, of the states only the newest", async () => {
    await using broker = await startMosquitto({ persistence: true });
    await broker.stop();
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 500; value++) one.sample("d1", value);
    await waitFor(() => one.uplink.linkState().lastError?.code === "BROKER_UNREACHABLE");
    const starting = broker.start();
    const collecting = collect(broker.port, [d1.readings, d1.state]);
    await starting;
    await using collector = await collecting;
    await waitFor(() => one.store.counters().pending === 0);
    await waitFor(() => readings(collector).length > 0 || one.store.counters().unheard > 0);
    expect(one.store.counters()).toMatchObject({ sampled: 500, delivered: 500 });
    for (const payload of collector.on(d1.state)) expect(JSON.parse(payload)).toMatchObject({ temperature: 500 });
  });

  test("an outage costs no reading and no order, and what waited is marked as replayed", async () => {
    await using broker = await startMosquitto({ persistence: true });
    // A session that outlives the outage, as a careful consumer has it.
    await using collector = await collect(broker.port, [d1.readings, d1.state], {
      clientId: "consumer",
      clean: false,
      properties: { sessionExpiryInterval: 600 },
    });
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 20; value++) one.sample("d1", value);
    await waitFor(() => newSeqs(collector).length === 20);
    await broker.stop();
    for (let value = 21; value <= 300; value++) one.sample("d1", value);
    await broker.start();
    await waitFor(() => newSeqs(collector).length === 300);
    for (let value = 301; value <= 310; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0 && newSeqs(collector).length === 310);

    expect(newSeqs(collector)).toEqual(upTo(310));
    const bySeq = new Map(readings(collector).map((reading) => [reading.seq, reading]));
    expect(bySeq.get(200)).toMatchObject({ epoch: 1, clock: "synced", values: { temperature: 200 }, replay: true });
    expect(bySeq.get(305)).toMatchObject({ replay: false });
    const states = collector.on(d1.state).map((payload) => JSON.parse(payload).temperature as number);
    expect(states.filter((value) => value > 20 && value < 300)).toEqual([]);
    expect(one.store.counters()).toMatchObject({ delivered: 310, pending: 0, dropped: {} });
  });

  test("readings that nobody is subscribed to count as delivered, and apart as unheard", async () => {
    await using broker = await startMosquitto();
    await using one = bench({ urls: [broker.url] });
    for (const value of [1, 2, 3]) one.sample("d1", value);
    await waitFor(() => one.store.counters().delivered === 3);
    expect(one.store.counters()).toMatchObject({ unheard: 3, pending: 0 });
  });

  test("who wants states only gets no readings, and none of them waits", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port, [d1.readings, d1.state]);
    await using one = bench({ urls: [broker.url], publish: { state: true, readings: false } });
    for (const value of [1, 2, 3]) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0 && collector.on(d1.state).length > 0);
    expect(collector.on(d1.readings)).toEqual([]);
  });

  test("at QoS 0 readings go out without an acknowledgement", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port, d1.readings);
    await using one = bench({ urls: [broker.url], qos: { state: 0, readings: 0, commands: 0 } });
    for (const value of [1, 2, 3]) one.sample("d1", value);
    await waitFor(() => newSeqs(collector).length === 3);
    expect(collector.messages.map(({ qos }) => qos)).toEqual([0, 0, 0]);
  });

  test("the broker's receive maximum is obeyed", async () => {
    await using broker = await startMosquitto({ global: ["max_inflight_messages 7"] });
    await using collector = await collect(broker.port, d1.readings);
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 400; value++) one.sample("d1", value);
    await waitFor(() => readings(collector).length >= 400);
    expect(newSeqs(collector)).toEqual(upTo(400));
    expect(broker.log()).not.toMatch(/Receive maximum exceeded|disconnected due to protocol error/i);
    expect(one.uplink.linkState().attempts).toBe(0);
  });

  test("a reading that is larger than the broker takes is set aside, and those behind it go on", async () => {
    await using broker = await startMosquitto({ global: ["max_packet_size 2000"] });
    await using collector = await collect(broker.port, d1.readings);
    await using one = bench({ urls: [broker.url], health: { soonestMs: 100_000, latestMs: 100_000 } });
    one.sample("d1", 1);
    const at = { boot: one.clock.bootId(), monoMs: one.clock.monoMs() };
    one.store.accept({ kind: "reading", device: "d1", at, values: { text: "x".repeat(3000) } });
    one.sample("d1", 3);
    await waitFor(() => one.store.counters().pending === 0 && newSeqs(collector).length === 2);
    expect(newSeqs(collector)).toEqual([1, 3]);
    expect(one.store.counters()).toMatchObject({ delivered: 2, dropped: { too_large: 1 } });
  });

  test("where MQTT 3.1.1 gives no size, a reading that drops the link three times is set aside", async () => {
    await using broker = await startMosquitto({ global: ["max_packet_size 2000"] });
    await using collector = await collect(broker.port, d1.readings);
    await using one = bench({ urls: [broker.url], protocol: "3.1.1" });
    one.sample("d1", 1);
    const at = { boot: one.clock.bootId(), monoMs: one.clock.monoMs() };
    one.store.accept({ kind: "reading", device: "d1", at, values: { text: "x".repeat(3000) } });
    one.sample("d1", 3);
    await waitFor(() => one.store.counters().pending === 0 && newSeqs(collector).length === 2);
    expect(newSeqs(collector)).toEqual([1, 3]);
    expect(one.store.counters()).toMatchObject({ delivered: 2, dropped: { drops_the_link: 1 } });
  });

  test("a topic that the rules forbid does not block the others, and is a fault", async () => {
    const d2 = topics.device("d2");
    const acl = ["topic readwrite #", `topic deny ${d2.readings}`];
    await using broker = await startMosquitto({ acl });
    await using collector = await collect(broker.port, d1.readings);
    await using one = bench({ urls: [broker.url] });
    one.board.add(device("d2"), healthy);
    one.sample("d1", 1);
    one.sample("d2", 2);
    one.sample("d1", 3);
    one.sample("d2", 4);
    await waitFor(() => one.store.counters().pending === 0);
    expect(newSeqs(collector)).toEqual([1, 3]);
    expect(one.store.counters()).toMatchObject({ delivered: 2, dropped: { not_authorized: 2 } });
    expect(one.uplink.faults()).toMatchObject([{ code: "BROKER_REFUSED" }]);
  });

  test("the backlog keeps its rate and what is new does not", async () => {
    await using broker = await startMosquitto();
    const start = performance.now();
    await using one = bench({ urls: [broker.url], drainRate: 100 });
    for (let value = 1; value <= 60; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0);
    const backlogMs = performance.now() - start;
    expect(backlogMs).toBeGreaterThan(400);
    for (let value = 1; value <= 200; value++) one.sample("d1", value);
    const liveStart = performance.now();
    await waitFor(() => one.store.counters().pending === 0);
    expect(performance.now() - liveStart).toBeLessThan(1000);
  });
});

describe("who else is there", () => {
  test("another living installation under the same gateway id keeps it from announcing, a dead one does not for long", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port, topics.status);
    await collector.publish(topics.info, JSON.stringify({ ...gateway, instance: "other" }), { retain: true });
    await collector.publish(topics.status, "online", { retain: true });
    await using one = bench({ urls: [broker.url], heartbeatMs: 200 });
    await waitFor(() => one.uplink.faults().some(({ code }) => code === "GATEWAY_ID_TAKEN"));
    await collector.publish(topics.status, "online", { retain: true });
    await waitFor(() => collector.on(topics.status).length >= 3);
    expect(one.uplink.faults()).toEqual([]);
    await waitFor(
      async () => JSON.parse((await retainedOn(broker.port, topics.info))[0]?.payload ?? "{}").instance === "0a1b",
    );
  });

  test("who waits for another installation does not call it offline when it stops", async () => {
    await using broker = await startMosquitto();
    await using collector = await collect(broker.port, topics.status);
    await collector.publish(topics.info, JSON.stringify({ ...gateway, instance: "other" }), { retain: true });
    await collector.publish(topics.status, "online", { retain: true });
    await using one = bench({ urls: [broker.url] });
    await waitFor(() => one.uplink.faults().some(({ code }) => code === "GATEWAY_ID_TAKEN"));
    await one.stop();
    expect((await retainedOn(broker.port, topics.status))[0]?.payload).toBe("online");
    // Nor would its end take the other's topics away.
    expect(one.store.ledger.entries.size).toBe(0);
  });

  test("nor when it is killed while it waits: its connection has no will", async () => {
    await using broker = await startMosquitto();
    await using line = await openLine(broker.port);
    await using collector = await collect(broker.port, topics.status);
    await collector.publish(topics.info, JSON.stringify({ ...gateway, instance: "other" }), { retain: true });
    await collector.publish(topics.status, "online", { retain: true });
    await using one = bench({ urls: [line.url] });
    await waitFor(() => line.connections() === 2 && one.uplink.linkState().connected);
    await waitFor(() => broker.log().split("Sending CONNACK to gw1-0a1b").length >= 2);
    line.refuse(true);
    line.cut();
    await waitFor(() => broker.log().includes("Client gw1-0a1b closed its connection"));
    // A will would be published before what comes now.
    await collector.publish(topics.status, "fence");
    await waitFor(() => collector.on(topics.status).includes("fence"));
    expect(collector.on(topics.status)).not.toContain("offline");
    expect(one.uplink.faults().map(({ code }) => code)).toContain("GATEWAY_ID_TAKEN");
  });
});
