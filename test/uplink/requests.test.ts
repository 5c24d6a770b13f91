import mqtt, { type IPublishPacket } from "mqtt";
import { describe, expect, test } from "vitest";
import { type Collector, collect, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { type Bench, bench, topics } from "./bench.ts";

const { readings } = topics.device("d1");
const answerTopic = topics.response("replay");

async function answered(asker: Collector, payload: string): Promise<Record<string, unknown>> {
  const before = asker.on(answerTopic).length;
  await asker.publish(topics.request("replay"), payload);
  await waitFor(() => asker.on(answerTopic).length > before, `the answer to ${payload}`);
  return JSON.parse(asker.on(answerTopic)[before] ?? "");
}

async function delivered(one: Bench, count: number): Promise<void> {
  for (let value = 1; value <= count; value++) one.sample("d1", value);
  await waitFor(() => one.store.counters().delivered === count);
}

describe("request/replay", () => {
  test("brings a range once more, in order, and says when it is there and what is not", async () => {
    await using broker = await startMosquitto();
    await using asker = await collect(broker.port, [readings, answerTopic]);
    await using one = bench({ urls: [broker.url] });
    await delivered(one, 20);
    one.store.outbox.records.splice(6, 2);
    const before = asker.on(readings).length;
    expect(await answered(asker, JSON.stringify({ epoch: 1, from: 5, to: 12 }))).toEqual({
      ok: true,
      epoch: 1,
      from: 5,
      to: 12,
      last: 20,
      sent: 6,
      missing: [[7, 8]],
    });
    const again = asker
      .on(readings)
      .slice(before)
      .map((payload) => JSON.parse(payload));
    expect(again.map(({ seq, replay }) => [seq, replay])).toEqual([5, 6, 9, 10, 11, 12].map((seq) => [seq, true]));
  });

  test("without `to` goes to the end of the epoch", async () => {
    await using broker = await startMosquitto();
    await using asker = await collect(broker.port, [readings, answerTopic]);
    await using one = bench({ urls: [broker.url] });
    await delivered(one, 5);
    expect(await answered(asker, '{"epoch":1,"from":4}')).toMatchObject({
      ok: true,
      to: 5,
      last: 5,
      sent: 2,
      missing: [],
    });
    expect(await answered(asker, '{"epoch":1,"from":9}')).toMatchObject({
      ok: true,
      to: 8,
      last: 5,
      sent: 0,
      missing: [],
    });
  });

  test.each([
    ["garbage", "REQUEST_INVALID"],
    ["[]", "REQUEST_INVALID"],
    ['{"epoch":1}', "REQUEST_INVALID"],
    ['{"epoch":1,"from":0}', "REQUEST_INVALID"],
    ['{"epoch":1,"from":5,"to":4}', "REQUEST_INVALID"],
    ['{"epoch":"1","from":1}', "REQUEST_INVALID"],
    ['{"epoch":77,"from":1}', "EPOCH_UNKNOWN"],
  ])("that is wrong (%s) is refused with a reason", async (payload, code) => {
    await using broker = await startMosquitto();
    await using asker = await collect(broker.port, [readings, answerTopic]);
    await using one = bench({ urls: [broker.url] });
    await delivered(one, 2);
    expect(await answered(asker, payload)).toMatchObject({ ok: false, error: { code, message: expect.any(String) } });
  });
});

describe("a request", () => {
  test("is answered where MQTT 5 asks for it, with the correlation data, but never on a topic that is ours", async () => {
    await using broker = await startMosquitto();
    const handlers = new Map([["ping", async (request: object) => ({ got: request })]]);
    await using one = bench({ urls: [broker.url] }, { requests: handlers });
    await waitFor(() => one.uplink.linkState().connected);
    await delivered(one, 1);
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
    const heard: [string, string, string | undefined][] = [];
    client.on("message", (topic, payload, packet: IPublishPacket) => {
      heard.push([topic, payload.toString(), packet.properties?.correlationData?.toString()]);
    });
    await client.subscribeAsync(["mine/answers", topics.response("ping"), topics.device("d1").state], { qos: 1 });
    const ask = (responseTopic: string) =>
      client.publishAsync(topics.request("ping"), '{"a":1}', {
        qos: 1,
        properties: { responseTopic, correlationData: Buffer.from("c7") },
      });
    for (const forbidden of [topics.status, topics.device("d1").state, topics.ack("sql"), "$SYS/x"])
      await ask(forbidden);
    await ask("mine/answers");
    await waitFor(() => heard.some(([topic]) => topic === "mine/answers"));
    expect(heard.filter(([, payload]) => payload.includes("got"))).toEqual([
      ["mine/answers", '{"ok":true,"got":{"a":1}}', "c7"],
    ]);
    await client.publishAsync(topics.request("ping"), "", { qos: 1 });
    await waitFor(() => heard.some(([topic]) => topic === topics.response("ping")));
    expect(heard.at(-1)?.[1]).toBe('{"ok":true,"got":{}}');
    await client.endAsync(true);
  });

  test("that nobody knows is refused, and one that the broker kept is not heard", async () => {
    await using broker = await startMosquitto();
    await using asker = await collect(broker.port, topics.response("+"));
    await asker.publish(topics.request("old"), "{}", { retain: true });
    await using one = bench({ urls: [broker.url] });
    await delivered(one, 1);
    await asker.publish(topics.request("new"), "{}");
    await waitFor(() => asker.on(topics.response("new")).length === 1);
    expect(JSON.parse(asker.on(topics.response("new"))[0] ?? "")).toMatchObject({
      ok: false,
      error: { code: "REQUEST_UNKNOWN" },
    });
    expect(asker.on(topics.response("old"))).toEqual([]);
  });
});
