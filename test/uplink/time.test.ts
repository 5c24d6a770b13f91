import { describe, expect, test } from "vitest";
import { FakeClock } from "../fakes/clock.ts";
import { waitFor } from "../support/mosquitto.ts";
import { type Bench, bench, device, healthy, topics } from "./bench.ts";
import { answers, PUBLISH, polite, published, type ScriptedBroker, scriptedBroker } from "./scripted-broker.ts";

const MINUTE_MS = 60_000;

/** The broker answers in real time, of which next to nothing passes. */
const ackTimeoutMs = 1e9;

const takesAll = () => scriptedBroker(polite(({ id }, socket) => socket.write(answers.puback(id))));

const on = (broker: ScriptedBroker, topic: string): string[] =>
  broker.packets
    .filter(({ type }) => type === PUBLISH)
    .map(published)
    .flatMap((one) => (one.topic === topic ? [one.payload] : []));

/** Simulated time goes on in small steps, real sockets between them, until the condition holds. */
async function passUntil(clock: FakeClock, condition: () => boolean): Promise<void> {
  await waitFor(async () => {
    await clock.advance(50);
    return condition();
  });
}

/** Simulated time should not run away from the real sockets. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 5000) {
    await clock.advance(Math.min(5000, ms - passedMs));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function announced(broker: ScriptedBroker, clock: FakeClock): Promise<void> {
  await passUntil(clock, () => on(broker, topics.health).length > 0);
}

describe("readings of uncertain time", () => {
  const readings = (broker: ScriptedBroker) =>
    on(broker, topics.device("d1").readings).map((payload) => JSON.parse(payload));

  async function unsynced(broker: ScriptedBroker): Promise<{ clock: FakeClock; one: Bench }> {
    const clock = new FakeClock({ sync: "unsynced", wallMs: 0 });
    const one = bench({ urls: [broker.url], ackTimeoutMs }, { clock, anchored: false });
    one.sample("d1", 20);
    await announced(broker, clock);
    return { clock, one };
  }

  test("they wait for the clock, and go out with their true time when it is known; the state does not wait", async () => {
    await using broker = await takesAll();
    const { clock, one } = await unsynced(broker);
    await using _stop = one;
    await pass(clock, 5 * MINUTE_MS);
    expect(readings(broker)).toEqual([]);
    expect(on(broker, topics.device("d1").state).length).toBeGreaterThan(0);

    clock.setWallMs(Date.parse("2026-06-01T12:05:00Z"));
    clock.sync = "synced";
    one.store.anchor(clock);
    await passUntil(clock, () => readings(broker).length === 1);
    expect(readings(broker)[0]).toMatchObject({ clock: "synced", time: expect.stringMatching(/^2026-06-01T11:59:/) });
  });

  test("after ten minutes of connection they go out as estimated", async () => {
    await using broker = await takesAll();
    const { clock, one } = await unsynced(broker);
    await using _stop = one;
    await pass(clock, 9.5 * MINUTE_MS);
    expect(readings(broker)).toEqual([]);
    await pass(clock, MINUTE_MS);
    await passUntil(clock, () => readings(broker).length === 1);
    expect(readings(broker)[0]).toMatchObject({ clock: "estimated" });
  });
});

test("each heartbeat refreshes online and the state, but not of a device that is offline", async () => {
  await using broker = await takesAll();
  const clock = new FakeClock();
  await using one = bench({ urls: [broker.url], ackTimeoutMs }, { clock });
  one.sample("d1", 20);
  one.board.add(device("d2"), { ...healthy, state: "absent", online: false });
  await announced(broker, clock);
  await clock.advance(5000);
  const count = (topic: string) => on(broker, topic).length;
  const watched = [topics.status, topics.device("d1").status, topics.device("d1").state, topics.device("d2").status];
  const before = watched.map(count);
  await pass(clock, 100_000);
  await passUntil(clock, () => count(topics.device("d1").state) > (before[2] ?? 0));
  expect(watched.map(count)).toEqual(before.map((seen, index) => (index < 3 ? seen + 1 : seen)));
});

test("health comes each minute, and within ten seconds when something changes", async () => {
  await using broker = await takesAll();
  const clock = new FakeClock();
  await using one = bench({ urls: [broker.url], ackTimeoutMs }, { clock });
  await announced(broker, clock);
  const told = () => on(broker, topics.health).length;
  await pass(clock, 55_000);
  expect(told()).toBe(1);
  await clock.advance(5000);
  await passUntil(clock, () => told() === 2);
  one.board.setHealth("d1", { ...healthy, state: "failing", code: "CHECKSUM", reason: "bad bytes" });
  await clock.advance(10_000);
  await passUntil(clock, () => told() === 3);
});
