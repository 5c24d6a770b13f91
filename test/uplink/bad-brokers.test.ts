import { connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../fakes/clock.ts";
import { collect, freePort, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";
import { answers, CONNECT, PUBLISH, polite, protocolLevel, published, scriptedBroker } from "./scripted-broker.ts";

const d1 = topics.device("d1");
const seqOf = (payload: string): number => JSON.parse(payload).seq;

describe("brokers that do not do what they should", () => {
  test("one that never acknowledges is left after the time for it, and nothing is missing", async () => {
    const clock = new FakeClock();
    await using broker = await scriptedBroker((packet, socket, connection) => {
      if (packet.type === CONNECT) socket.write(answers.connack());
      else if (connection > 1) polite(({ id }) => socket.write(answers.puback(id)))(packet, socket, connection);
    });
    await using one = bench({ urls: [broker.url] }, { clock });
    one.sample("d1", 1);
    await waitFor(() => broker.packets.some(({ type }) => type !== CONNECT));
    await clock.advance(25_000);
    expect(broker.connections()).toBe(1);
    await clock.advance(10_000);
    await waitFor(async () => {
      await clock.advance(100);
      return one.store.counters().delivered === 1;
    });
    expect(broker.connections()).toBe(2);
    expect(one.uplink.linkState().lastError?.message).toContain("no acknowledgement within 30 s");
  });

  test("one that falls silent is noticed by the keep-alive, which is no fault of the reading under way", async () => {
    await using broker = await scriptedBroker(polite(() => {}));
    await using one = bench({ urls: [broker.url], keepAliveMs: 1000 });
    one.sample("d1", 1);
    await waitFor(() => broker.connections() === 2);
    expect(one.uplink.linkState().lastError?.message).toContain("no answer within the keep-alive time");
    expect(one.store.counters()).toMatchObject({ pending: 1, dropped: {} });
  });

  test("over its quota (0x97) it is given time, and the order of what it refused is kept", async () => {
    const taken: number[] = [];
    let refusals = 0;
    await using broker = await scriptedBroker(
      polite(({ id, payload }, socket) => {
        const refuse = refusals < 5 && seqOf(payload) >= 3;
        if (refuse) refusals++;
        else taken.push(seqOf(payload));
        socket.write(answers.puback(id, refuse ? 0x97 : 0));
      }),
    );
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 7; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0);
    expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(one.store.counters()).toMatchObject({ delivered: 7, dropped: {} });
    expect(broker.connections()).toBe(1);
  });

  test("a payload that it refuses for good (0x99) is set aside with its reason", async () => {
    await using broker = await scriptedBroker(
      polite(({ id, payload }, socket) => socket.write(answers.puback(id, seqOf(payload) === 2 ? 0x99 : 0))),
    );
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 3; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0);
    expect(one.store.counters()).toMatchObject({ delivered: 2, dropped: { payload_refused: 1 } });
  });

  test("one that ends the connection over a message is tried three times, and then without that message", async () => {
    await using broker = await scriptedBroker(
      polite(({ id, payload }, socket) => {
        if (seqOf(payload) === 4) socket.end(answers.disconnect(0x99));
        else if (!socket.writableEnded) socket.write(answers.puback(id));
      }),
    );
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 10; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0);
    expect(one.store.counters()).toMatchObject({ delivered: 9, dropped: { payload_refused: 1 } });
    expect(broker.connections()).toBe(4);
  });

  test("a link that breaks for other reasons costs no reading, however often it does", async () => {
    let drops = 0;
    await using broker = await scriptedBroker(
      polite(({ id }, socket) => {
        if (drops++ < 6) socket.end(answers.disconnect(0x8b));
        else socket.write(answers.puback(id));
      }),
    );
    await using one = bench({ urls: [broker.url] });
    one.sample("d1", 1);
    await waitFor(() => one.store.counters().pending === 0);
    expect(one.store.counters()).toMatchObject({ delivered: 1, dropped: {} });
  });

  test("a take-over of our client id is named, and answered with growing pauses", async () => {
    await using broker = await scriptedBroker((packet, socket, connection) => {
      if (connection > 2) return polite(() => {})(packet, socket, connection);
      if (packet.type === CONNECT) socket.end(Buffer.concat([answers.connack(), answers.disconnect(0x8e)]));
    });
    await using one = bench({ urls: [broker.url] });
    await waitFor(() => broker.connections() === 3);
    expect(one.uplink.linkState()).toMatchObject({
      attempts: 2,
      lastError: { message: expect.stringContaining("another client uses our client id") },
    });
  });

  test("take-overs make the pauses grow also when each connection had lasted, and are a fault until it is quiet", async () => {
    await using broker = await scriptedBroker((packet, socket, connection) => {
      polite(() => {})(packet, socket, connection);
      if (packet.type === CONNECT && connection <= 4) setTimeout(() => socket.end(answers.disconnect(0x8e)), 100);
    });
    await using one = bench({ urls: [broker.url], reconnect: { minMs: 20, maxMs: 60, stableMs: 50 } });
    await waitFor(() => broker.connections() === 5);
    expect(one.uplink.linkState().attempts).toBe(5);
    await waitFor(() => one.uplink.linkState().connected);
    expect(one.uplink.faults()).toMatchObject([
      { code: "CLIENT_ID_TAKEN", message: expect.stringContaining("gw1-0a1b: it has thrown us out 4 times") },
    ]);
  });

  test("the size that is compared with the broker's maximum is the size on the wire", async () => {
    await using broker = await scriptedBroker(polite(({ id }, socket) => socket.write(answers.puback(id))));
    await using one = bench({ urls: [broker.url] });
    one.sample("d1", 1);
    await waitFor(() => one.store.counters().pending === 0);
    const { layoutOf } = await import("../../src/uplink/client/publish-packet.ts");
    const sizes = broker.packets.filter(({ type }) => type === PUBLISH);
    expect(sizes.length).toBeGreaterThan(4);
    for (const packet of sizes) {
      const { topic, payload } = published(packet);
      const expires = /status$|state$/.test(topic);
      const message = { topic, payload, qos: 1 as const, ...(expires && { expirySeconds: 300 }) };
      expect([topic, layoutOf(message, message.qos, "5").whole]).toEqual([topic, packet.size]);
    }
  });
});

describe("which protocol is spoken", () => {
  /** Mosquitto with a doorman before it, who treats MQTT 5 as he likes and passes everything else on. */
  async function doorman(port: number, refuse: (socket: import("node:net").Socket) => void) {
    return await scriptedBroker((packet, socket) => {
      if (packet.type !== CONNECT) return;
      if (protocolLevel(packet) === 5) return refuse(socket);
      const onward = connectTcp(port, "127.0.0.1");
      onward.on("error", () => socket.destroy());
      socket.on("close", () => onward.destroy());
      onward.write(Buffer.concat([Buffer.from([0x10, packet.body.length]), packet.body]));
      socket.pipe(onward).pipe(socket);
    });
  }

  test.each([
    [
      "refuses MQTT 5 in the words of 3.1.1",
      (socket: import("node:net").Socket) => socket.end(Buffer.from([0x20, 2, 0, 1])),
    ],
    ["refuses MQTT 5 in the words of 5", (socket: import("node:net").Socket) => socket.end(answers.connack(0x84))],
    ["just closes when it hears MQTT 5", (socket: import("node:net").Socket) => socket.end()],
  ])("with a broker that %s, it falls back to 3.1.1", async (_title, refuse) => {
    await using broker = await startMosquitto();
    await using front = await doorman(broker.port, refuse);
    await using collector = await collect(broker.port, [d1.readings, topics.status]);
    await using one = bench({ urls: [front.url] });
    one.sample("d1", 1);
    await waitFor(() => collector.on(d1.readings).length === 1);
    expect(one.uplink.linkState()).toMatchObject({ connected: true, protocol: "3.1.1" });
    expect(collector.messages.find(({ topic }) => topic === topics.status)).not.toHaveProperty("expirySeconds");
  });

  test("told to speak MQTT 5 only, it does not fall back", async () => {
    await using broker = await startMosquitto();
    await using front = await doorman(broker.port, (socket) => socket.end(Buffer.from([0x20, 2, 0, 1])));
    await using one = bench({ urls: [front.url], protocol: "5" });
    await waitFor(() => front.connections() >= 3);
    expect(one.uplink.linkState()).toMatchObject({ connected: false, lastError: { code: "BROKER_REFUSED" } });
  });

  test("when the first address does not answer, the next one is used", async () => {
    await using broker = await startMosquitto();
    const dead = `mqtt://127.0.0.1:${await freePort()}`;
    await using one = bench({ urls: [dead, broker.url] });
    one.sample("d1", 1);
    await waitFor(() => one.store.counters().delivered === 1);
    expect(one.uplink.linkState().url).toBe(broker.url);
  });
});
