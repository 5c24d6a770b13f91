import { describe, expect, test } from "vitest";
import { collect, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";

const { readings } = topics.device("d1");
const parsed = (payload: string) => JSON.parse(payload) as { seq: number; replay: boolean };

describe("a consumer's receipts", () => {
  test("move its own cursor, and what it does not confirm in time is sent again, marked as replayed", async () => {
    await using broker = await startMosquitto();
    await using consumer = await collect(broker.port, readings);
    await using one = bench({ urls: [broker.url], consumers: ["sql"], receiptTimeoutMs: 400 });
    for (let value = 1; value <= 6; value++) one.sample("d1", value);
    await waitFor(() => consumer.on(readings).length >= 6);
    await consumer.publish(topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 4 }));
    await waitFor(() => one.store.counters("sql").pending === 2);
    expect(one.store.counters()).toMatchObject({ delivered: 6, pending: 0 });
    const before = consumer.on(readings).length;
    await waitFor(() => consumer.on(readings).length >= before + 2);
    const again = consumer
      .on(readings)
      .slice(before, before + 2)
      .map(parsed);
    expect(again).toMatchObject([
      { seq: 5, replay: true },
      { seq: 6, replay: true },
    ]);
    await consumer.publish(topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 6 }));
    await waitFor(() => one.store.counters("sql").pending === 0);
  });

  test("that cannot be true are ignored, counted, and shown in health", async () => {
    await using broker = await startMosquitto();
    await using consumer = await collect(broker.port, [readings, topics.health]);
    await using one = bench({ urls: [broker.url], consumers: ["sql"], health: { soonestMs: 50, latestMs: 100 } });
    one.sample("d1", 1);
    one.sample("d1", 2);
    await waitFor(() => one.store.counters().delivered === 2);
    const lies: [string, string][] = [
      [topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 3 })],
      [topics.ack("sql"), JSON.stringify({ epoch: 2, seq: 1 })],
      [topics.ack("sql"), "garbage"],
      [topics.ack("sql"), ""],
      [topics.ack("sql"), JSON.stringify({ epoch: 1, seq: -1 })],
      [topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 1.5 })],
      [topics.ack("sql"), JSON.stringify([1, 2])],
      [topics.ack("sql"), "x".repeat(5000)],
      [topics.ack("stranger"), JSON.stringify({ epoch: 1, seq: 2 })],
      [topics.ack("mqtt"), JSON.stringify({ epoch: 1, seq: 2 })],
    ];
    for (const [topic, payload] of lies) await consumer.publish(topic, payload);
    const ignored = () => JSON.parse(consumer.on(topics.health).at(-1) ?? "{}").receipts_ignored;
    await waitFor(() => ignored()?.unreadable === 6 && ignored().unknown_consumer === 2);
    expect(ignored()).toEqual({ unknown_position: 2, unreadable: 6, unknown_consumer: 2 });
    expect(one.store.counters("sql")).toMatchObject({ pending: 2 });
    expect(JSON.parse(consumer.on(topics.health).at(-1) ?? "{}").consumers).toMatchObject({ sql: { pending: 2 } });
  });

  test("for what was never sent are ignored, also where there is such a reading", async () => {
    await using broker = await startMosquitto();
    await using consumer = await collect(broker.port, readings);
    await using one = bench({ urls: [broker.url], consumers: ["sql"], drainRate: 5 });
    for (let value = 1; value <= 50; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().delivered >= 1);
    await consumer.publish(topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 50 }));
    await consumer.publish(topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 1 }));
    await waitFor(() => one.store.counters("sql").pending === 49);
  });

  test("a consumer that comes back and says where it is gets the rest without waiting for the time", async () => {
    await using broker = await startMosquitto();
    await using consumer = await collect(broker.port, readings);
    await using one = bench({ urls: [broker.url], consumers: ["sql"], receiptTimeoutMs: 600_000 });
    for (let value = 1; value <= 3; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().delivered === 3);
    const before = consumer.on(readings).length;
    await consumer.publish(topics.ack("sql"), JSON.stringify({ epoch: 1, seq: 0 }));
    await waitFor(() => consumer.on(readings).length === before + 3);
  });
});

describe("gaps", () => {
  test("are told until the broker has them", async () => {
    await using broker = await startMosquitto();
    await using listener = await collect(broker.port, topics.gaps);
    await using one = bench({ urls: [broker.url] });
    const at = { boot: one.clock.bootId(), monoMs: Math.round(one.clock.monoMs()) };
    one.store.outbox.gapList = [{ id: 1, epoch: 1, from: 3, to: 5, count: 3, reason: "full", since: at, until: at }];
    await waitFor(() => listener.on(topics.gaps).length === 1);
    expect(JSON.parse(listener.on(topics.gaps)[0] ?? "")).toEqual({
      epoch: 1,
      from: 3,
      to: 5,
      count: 3,
      reason: "full",
      since: expect.stringMatching(/Z$/),
      until: expect.stringMatching(/Z$/),
    });
    await waitFor(() => one.store.outbox.gaps().length === 0);
  });
});
