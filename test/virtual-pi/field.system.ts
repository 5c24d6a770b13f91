import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collect, type Mosquitto, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { configuration, devices, missing, type ReadingPayload, topic } from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { powerCycle, run, virtualPi, wire } from "./guest.ts";
import { bosch280, mild } from "./sensors.ts";

/** A Pi without a real-time clock, at the end of a cable to its broker: this machine. */
type HostCollector = Awaited<ReturnType<typeof collect>>;
const SOON_MS = 120_000;
const CLOCK_TOLERANCE_MS = 5000;
/** Less than the silence after which the way into the guest is given up. */
const ASLEEP_S = 20;
const TIMESYNC = "/run/systemd/timesync";

interface TimedReading extends ReadingPayload {
  readonly time: string;
  readonly clock: string;
  readonly earliest?: string;
  readonly latest?: string;
}

let broker: Mosquitto;
let collector: HostCollector;
let gateway: Gateway;
let startedMs: number;

const STORE = "/home/pi/data-field";

/** The Pi without a clock, plugged in, its chip wired, and somebody there to wait for. */
async function bootInThePast(): Promise<void> {
  await powerCycle({ VPI_HOST_PORTS: String(broker.port), VPI_RTC: "2000-01-01T00:00:00" });
  await wire({ "76": bosch280("60", mild) });
  // As systemd-timesyncd leaves it before its first answer.
  await run(`mkdir -p ${TIMESYNC}`);
}

function start({ keepStore }: { keepStore: boolean }): Promise<Gateway> {
  const mqtt = { url: `mqtt://host:${broker.port}`, keep_alive: "5s" };
  return startGateway(configuration(STORE, { mqtt }, devices), { keepStore });
}

const hearTheTime = () => run(`date -s @${Math.round(Date.now() / 1000)} && touch ${TIMESYNC}/synchronized`);

/**
 * All that the kernel does for a suspension but the last step: CLOCK_MONOTONIC stands still, CLOCK_BOOTTIME goes on by what
 * the real-time clock says (Documentation/power/basic-pm-debugging.rst). Says from when to when the Pi slept.
 */
async function sleepSoundly(seconds: number): Promise<{ readonly fromMs: number; readonly toMs: number }> {
  const fromMs = Date.now();
  await run(`echo ${seconds} > /sys/module/suspend/parameters/pm_test_delay
echo core > /sys/power/pm_test && echo mem > /sys/power/state && echo none > /sys/power/pm_test`);
  return { fromMs, toMs: Date.now() };
}

/** Nobody took a reading while the Pi slept: what is dated there is dated wrongly. */
function expectAwake(
  came: readonly TimedReading[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
) {
  const times = came.map(({ time }) => Date.parse(time));
  expect(times.filter((time) => time > fromMs + CLOCK_TOLERANCE_MS && time < toMs - CLOCK_TOLERANCE_MS)).toEqual([]);
  expect(times.filter((time) => time <= fromMs + CLOCK_TOLERANCE_MS).length).toBeGreaterThan(3);
  expect(times.filter((time) => time >= toMs - CLOCK_TOLERANCE_MS).length).toBeGreaterThan(3);
}

const readings = (): TimedReading[] =>
  collector.messages.filter((message) => message.topic.endsWith("/readings")).map(({ payload }) => JSON.parse(payload));

beforeAll(async () => {
  broker = await startMosquitto();
  collector = await collect(broker.port, topic("#"));
  await bootInThePast();
  startedMs = Date.now();
  gateway = await start({ keepStore: false });
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

  test("sends what it took before with the true time, once the clock is set, though it was killed in between", async () => {
    await gateway.kill();
    gateway = await start({ keepStore: true });
    await waitFor(() => collector.on(topic("status")).at(-1) === "online", "the second life", SOON_MS);
    expect(readings()).toEqual([]);
    await hearTheTime();
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

describe("a clock that somebody sets", () => {
  test("forward and back, while no time daemon vouches for it: the readings keep the true time", async () => {
    const before = readings().length;
    for (const step of ["+2 hours", "-5 hours"]) {
      await run(`rm -f ${TIMESYNC}/synchronized && date -s '${step}'`);
      await run("sleep 15");
      await hearTheTime();
      await run("sleep 15");
    }
    const came = readings().slice(before);
    expect(came.length).toBeGreaterThan(20);
    for (const { time, clock } of came) {
      expect(clock).toBe("synced");
      expect(Date.parse(time)).toBeGreaterThan(startedMs - CLOCK_TOLERANCE_MS);
      expect(Date.parse(time)).toBeLessThan(Date.now() + CLOCK_TOLERANCE_MS);
    }
  });
});

describe("a Pi that is suspended", () => {
  test("dates what it takes afterwards with the true time", async () => {
    await hearTheTime();
    const before = readings().length;
    await run("sleep 15");
    const sleep = await sleepSoundly(ASLEEP_S);
    await run("sleep 15");
    expectAwake(readings().slice(before), sleep);
  });

  test("before it heard the time: what it took on either side has the true time", async () => {
    await gateway.stop();
    await gateway[Symbol.asyncDispose]();
    await bootInThePast();
    const before = readings().length;
    gateway = await start({ keepStore: true });
    await run("sleep 10");
    const sleep = await sleepSoundly(ASLEEP_S);
    await run("sleep 10");
    expect(readings().length).toBe(before);
    await hearTheTime();
    const news = () => readings().slice(before);
    const live = () => news().findIndex(({ replay }) => !replay);
    await waitFor(() => live() >= 0 && news().length > live() + 20, "live readings", SOON_MS);
    await waitFor(() => news().filter(({ replay }) => replay).length > 10, "the backlog", SOON_MS);
    await waitFor(() => missing(news()).length === 0, "all of it", SOON_MS);
    expectAwake(news(), sleep);
  });
});

describe("a life that never heard the time", () => {
  test("ends in a power cut; its readings come with the bounds that the next life sets", async () => {
    await gateway.stop();
    await gateway[Symbol.asyncDispose]();
    await bootInThePast();
    const [before, darkFromMs] = [readings().length, Date.now()];
    gateway = await start({ keepStore: true });
    // A busy host takes its time with a flush, too; what was not flushed is rightly lost.
    await run("sleep 20; sync");
    expect(readings().length).toBe(before);
    const dark = gateway;
    await bootInThePast();
    const darkToMs = Date.now();
    await dark[Symbol.asyncDispose]();
    gateway = await start({ keepStore: true });
    await hearTheTime();
    const ofDarkness = () =>
      readings()
        .slice(before)
        .filter(({ clock }) => clock === "estimated");
    await waitFor(() => ofDarkness().length > 5, "the readings of the dark life", SOON_MS);
    const estimated = ofDarkness();
    for (const { earliest = "", latest = "" } of estimated) {
      expect(Date.parse(earliest)).toBeLessThan(darkToMs);
      expect(Date.parse(latest)).toBeGreaterThan(darkFromMs);
      expect(Date.parse(latest)).toBeLessThan(Date.now() + CLOCK_TOLERANCE_MS);
    }
  });
});
