import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import type { Link, Publication } from "../../src/uplink/link.ts";
import { Events } from "../../src/uplink/live/events.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";
import { MemoryStore } from "../fakes/store.ts";
import { collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { topics, bench as uplinkBench } from "./bench.ts";

/** A link that answers when the test says so. */
function scripted() {
  const sent: Publication[] = [];
  const answers: { resolve(code: number): void; reject(error: unknown): void }[] = [];
  const publish: Link["publish"] = (message) =>
    new Promise((resolve, reject) => {
      sent.push(message);
      answers.push({ resolve, reject });
    });
  return { sent, answers, link: { publish } as Link };
}

function bench() {
  const clock = new FakeClock();
  const log = fakeLog();
  const store = new MemoryStore();
  let link: Link | undefined;
  const events = new Events(topics, { clock, log, store }, () => link);
  const connect = (to: Link | undefined) => {
    link = to;
    events.connected();
  };
  const press = (type = "single") =>
    events.tell({ device: "bell", channel: "press", type, at: { boot: clock.boot, monoMs: clock.monoMs() } });
  return { clock, connect, events, log, press };
}

describe("an event", () => {
  test("goes out at once, unretained, on its channel's topic, and expires with its five seconds", async () => {
    const { clock, connect, events, press } = bench();
    const { answers, link, sent } = scripted();
    connect(link);
    press("double");
    const time = new Date(clock.wallMs()).toISOString();
    expect(sent).toEqual([
      {
        topic: "fieldpost/gw1/bell/press/event",
        payload: JSON.stringify({ event_type: "double", time }),
        qos: 1,
        expirySeconds: 5,
      },
    ]);
    answers[0]?.resolve(0);
    await clock.advance(0);
    expect(events.counts()).toEqual({ delivered: 1, dropped: {} });
  });

  test("waits for a connection for five seconds, in its turn, and not longer", async () => {
    const { clock, connect, events, press } = bench();
    press("single");
    await clock.advance(1000);
    press("double");
    press("long");
    await clock.advance(4500);
    const { link, sent } = scripted();
    connect(link);
    expect(sent.map(({ payload }) => JSON.parse(payload).event_type)).toEqual(["double", "long"]);
    expect(sent.map(({ expirySeconds }) => expirySeconds)).toEqual([1, 1]);
    expect(events.counts()).toEqual({ delivered: 0, dropped: { too_old: 1 } });
  });

  test("whose acknowledgement was lost with the connection is counted, and not sent again", async () => {
    const { clock, connect, events, press } = bench();
    const before = scripted();
    connect(before.link);
    press();
    connect(undefined);
    before.answers[0]?.reject(new GatewayError("BROKER_UNREACHABLE", "gone"));
    await clock.advance(100);
    const after = scripted();
    connect(after.link);
    expect(after.sent).toEqual([]);
    expect(events.counts()).toEqual({ delivered: 0, dropped: { connection_lost: 1 } });
  });

  test("that the broker refuses is counted each time, and told once", async () => {
    const { clock, connect, events, log, press } = bench();
    const { answers, link } = scripted();
    connect(link);
    press();
    press();
    for (const { resolve } of answers) resolve(0x87);
    await clock.advance(0);
    expect(events.counts()).toEqual({ delivered: 0, dropped: { refused: 2 } });
    expect(log.lines.filter(({ message }) => message === "the broker refuses an event")).toHaveLength(1);
  });

  test("grows old here, and not in the window, behind a broker that hangs", async () => {
    const { clock, connect, events, press } = bench();
    const { answers, link, sent } = scripted();
    connect(link);
    for (let count = 0; count < 20; count++) press();
    expect(sent).toHaveLength(8);
    await clock.advance(6000);
    for (const { resolve } of answers) resolve(0);
    await clock.advance(0);
    expect(sent).toHaveLength(8);
    expect(events.counts()).toEqual({ delivered: 8, dropped: { too_old: 12 } });
  });

  test("makes room for newer ones: the oldest go first, and are counted", async () => {
    const { connect, events, press } = bench();
    for (let count = 0; count < 70; count++) press(`t${count}`);
    expect(events.counts()).toEqual({ delivered: 0, dropped: { too_many: 6 } });
    const { link, sent } = scripted();
    connect(link);
    expect(JSON.parse(sent[0]?.payload ?? "").event_type).toBe("t6");
  });
});

test.each(["5", "3.1.1"] as const)(
  "over MQTT %s a turn reaches who listens, and health counts it",
  async (protocol) => {
    await using broker = await startMosquitto();
    await using one = uplinkBench({
      urls: [broker.url],
      protocol,
      health: { soonestMs: 50, latestMs: 100 },
    });
    const topic = topics.device("knob").event("turn");
    await using listener = await collect(broker.port, [topic, topics.status, topics.health]);
    await waitFor(() => listener.on(topics.status).includes("online"));
    const at = { boot: one.clock.bootId(), monoMs: one.clock.monoMs() };
    one.uplink.tell({ device: "knob", channel: "turn", type: "clockwise", details: { steps: 2 }, at });
    await waitFor(() => listener.on(topic).length > 0);
    expect(listener.on(topic).map((payload) => JSON.parse(payload))).toEqual([
      { event_type: "clockwise", steps: 2, time: expect.stringMatching(/^20\d\d-.*Z$/) },
    ]);
    expect(await retainedOn(broker.port, topic)).toEqual([]);
    await waitFor(() => listener.on(topics.health).some((payload) => JSON.parse(payload).events?.delivered === 1));
  },
);
