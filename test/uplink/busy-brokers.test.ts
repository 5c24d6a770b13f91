import { describe, expect, test } from "vitest";
import { Throttle } from "../../src/uplink/backlog/throttle.ts";
import { Gate } from "../../src/uplink/client/gate.ts";
import { FakeClock } from "../fakes/clock.ts";
import { waitFor } from "../support/mosquitto.ts";
import { bench } from "./bench.ts";
import { answers, CONNECT, polite, scriptedBroker } from "./scripted-broker.ts";

describe("a broker that asks for less", () => {
  test.each([
    ["receive maximum exceeded", 0x93, 3],
    ["message rate too high", 0x96, 1],
    ["quota exceeded", 0x97, 1],
    ["connection rate exceeded", 0x9f, 3],
  ])("by ending the connection (%s) gets everything all the same, in order", async (_title, code, times) => {
    const taken: number[] = [];
    await using broker = await scriptedBroker(
      polite(({ id, payload }, socket, connection) => {
        const { seq } = JSON.parse(payload);
        if (connection <= times && seq > connection * 6) return void socket.end(answers.disconnect(code));
        if (socket.writableEnded) return;
        taken.push(seq);
        socket.write(answers.puback(id));
      }),
    );
    await using one = bench({ urls: [broker.url] });
    for (let value = 1; value <= 20; value++) one.sample("d1", value);
    await waitFor(() => one.store.counters().pending === 0, "everything delivered", 15_000);
    expect([...new Set(taken)]).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(one.store.counters()).toMatchObject({ delivered: 20, dropped: {} });
  });

  test.each([
    ["server unavailable", 0x88],
    ["server busy", 0x89],
    ["quota exceeded", 0x97],
    ["connection rate exceeded", 0x9f],
  ])("by refusing the connection (%s) is asked again, later", async (_title, code) => {
    const polished = polite(({ id }, socket) => socket.write(answers.puback(id)));
    await using broker = await scriptedBroker((packet, socket, connection) => {
      if (packet.type === CONNECT && connection <= 3) socket.end(answers.connack(code));
      else polished(packet, socket, connection);
    });
    await using one = bench({ urls: [broker.url] });
    one.sample("d1", 1);
    await waitFor(() => one.store.counters().delivered === 1);
    expect(broker.connections()).toBe(4);
  });

  test("gets half the window for each complaint, and twice as much after each quiet minute", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    throttle.began(100);
    throttle.complained(0x93);
    expect(throttle.window(100)).toBe(50);
    for (let count = 0; count < 10; count++) throttle.complained(0x93);
    expect(throttle.window(100)).toBe(1);
    await clock.advance(120_000);
    expect(throttle.window(100)).toBe(4);
    await clock.advance(3_600_000);
    expect(throttle.window(100)).toBe(100);
  });

  test("gets half the rate at which it complained, and twice as much after each quiet minute", async () => {
    const clock = new FakeClock();
    const throttle = new Throttle(clock);
    throttle.began(100);
    for (let count = 0; count < 400; count++) throttle.arrived();
    await clock.advance(10_000);
    expect(throttle.perSecond).toBeUndefined();
    throttle.complained(0x96);
    expect(throttle.perSecond).toBe(20);
    await clock.advance(60_000);
    expect(throttle.perSecond).toBe(40);
    await clock.advance(3_600_000);
    expect(throttle.perSecond).toBeUndefined();
  });
});

describe("the gate before a connection", () => {
  test("who asks to be alone waits for all others, and keeps them out, urgent ones too", () => {
    const gate = new Gate(3);
    const inside: string[] = [];
    const enter = (name: string, alone = false, urgent = false) => gate.enter(urgent, () => inside.push(name), alone);
    enter("a");
    enter("b");
    enter("alone", true);
    enter("c");
    expect(inside).toEqual(["a", "b"]);
    gate.leave();
    gate.leave();
    expect(inside).toEqual(["a", "b", "alone"]);
    enter("urgent", false, true);
    expect(inside).toEqual(["a", "b", "alone"]);
    gate.leave();
    expect(inside).toEqual(["a", "b", "alone", "urgent", "c"]);
  });
});

test("a server that names another one is quoted, not followed", async () => {
  const reference = Buffer.from("broker2.example.org");
  const property = Buffer.concat([Buffer.from([0x1c, 0, reference.length]), reference]);
  const connack = Buffer.concat([Buffer.from([0x20, 3 + property.length, 0, 0x9c, property.length]), property]);
  await using broker = await scriptedBroker((packet, socket) => {
    if (packet.type === CONNECT) socket.end(connack);
  });
  await using one = bench({ urls: [broker.url] });
  await waitFor(() => one.uplink.linkState().lastError !== undefined);
  expect(one.uplink.linkState().lastError?.message).toContain("it names another server: broker2.example.org");
  expect(one.log.lines.some(({ error }) => String(error).includes("broker2.example.org"))).toBe(true);
});
