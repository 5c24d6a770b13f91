import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collect, type Mosquitto, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { configuration, devices, missing, type ReadingPayload, topic } from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { powerCycle, run, virtualPi, wire } from "./guest.ts";
import { bosch280, mild } from "./sensors.ts";

/** A Pi without a real-time clock, at the end of a cable to its broker: this machine. */
type HostCollector = Awaited<ReturnType<typeof collect>>;
const SOON_MS = 60_000;
const CLOCK_TOLERANCE_MS = 5000;
const TIMESYNC = "/run/systemd/timesync";

interface TimedReading extends ReadingPayload {
  readonly time: string;
  readonly clock: string;
}

let broker: Mosquitto;
let collector: HostCollector;
let gateway: Gateway;
let startedMs: number;

const readings = (): TimedReading[] =>
  collector.messages.filter((message) => message.topic.endsWith("/readings")).map(({ payload }) => JSON.parse(payload));

beforeAll(async () => {
  broker = await startMosquitto();
  collector = await collect(broker.port, topic("#"));
  await powerCycle({ VPI_HOST_PORTS: String(broker.port), VPI_RTC: "2000-01-01T00:00:00" });
  await wire({ "76": bosch280("60", mild) });
  // As systemd-timesyncd leaves it before its first answer: there is somebody to wait for.
  await run(`mkdir -p ${TIMESYNC}`);
  startedMs = Date.now();
  const mqtt = { url: `mqtt://host:${broker.port}`, keep_alive: "5s" };
  gateway = await startGateway(configuration("/home/pi/data-field", { mqtt }, devices));
});

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await powerCycle();
});

describe("a Pi that boots in the past", () => {
  test("shows its state at once, but no reading with a wrong time", async () => {
    await waitFor(() => collector.on(topic("climate/state")).length > 5, "live states", SOON_MS);
    expect(readings()).toEqual([]);
  });

  test("sends what it took before with the true time, once the clock is set", async () => {
    await run(`date -s @${Math.round(Date.now() / 1000)} && touch ${TIMESYNC}/synchronized`);
    await waitFor(() => readings().some(({ replay }) => !replay), "readings", SOON_MS);
    const came = readings();
    expect(came[0]?.seq).toBe(1);
    expect(missing(came)).toEqual([]);
    expect(new Set(came.map(({ clock }) => clock))).toEqual(new Set(["synced"]));
    for (const { time } of came) {
      expect(Date.parse(time)).toBeGreaterThan(startedMs - CLOCK_TOLERANCE_MS);
      expect(Date.parse(time)).toBeLessThan(Date.now() + CLOCK_TOLERANCE_MS);
    }
  });
});

describe("a cable that is pulled", () => {
  test("makes the broker say `offline`; plugged in again, every reading comes, and `state` is of now", async () => {
    await virtualPi(["link", "down"]);
    await waitFor(() => collector.on(topic("status")).at(-1) === "offline", "the will", SOON_MS);
    await run("sleep 10");
    const before = readings().length;
    const states = collector.on(topic("climate/state")).length;
    await virtualPi(["link", "up"]);
    await waitFor(() => collector.on(topic("status")).at(-1) === "online", "the birth", SOON_MS);
    await waitFor(
      () =>
        readings()
          .slice(before)
          .some(({ replay }) => !replay),
      "a live reading",
      SOON_MS,
    );
    await waitFor(() => missing(readings()).length === 0, "the backlog", SOON_MS);
    const backlog = readings()
      .slice(before)
      .filter(({ replay }) => replay);
    expect(backlog.length).toBeGreaterThan(10);
    // What was taken meanwhile is history: it is on `readings` alone.
    const shown = collector.on(topic("climate/state")).length - states;
    const live = readings()
      .slice(before)
      .filter(({ replay }) => !replay).length;
    expect(shown).toBeLessThanOrEqual(live + 2);
  });
});
