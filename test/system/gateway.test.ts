import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import {
  type Collector,
  collect,
  freePort,
  type Mosquitto,
  retainedOn,
  startMosquitto,
  waitFor,
} from "../support/mosquitto.ts";

interface ReadingPayload {
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
  readonly clock: string;
  readonly values: Record<string, unknown>;
  readonly replay: boolean;
}

const READINGS = "fieldpost/gw/+/readings";
const DEVICES = `
devices:
  - { id: climate, driver: bme280, bus: sim, interval: 1s }
  - { id: room, driver: sht4x, bus: sim, interval: 1s }
`;

// Processes that start and stop several times: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let gateway: Gateway;
beforeEach(() => {
  gateway = createGateway();
});
afterEach(() => gateway[Symbol.asyncDispose]());

function readings(collector: Collector): ReadingPayload[] {
  return collector.messages
    .filter(({ topic }) => topic.endsWith("/readings"))
    .map(({ payload }) => JSON.parse(payload) as ReadingPayload);
}

/** What a consumer keeps: each (epoch, seq) once, as it first came. */
function deduplicated(all: readonly ReadingPayload[]): ReadingPayload[] {
  return [
    ...new Map(all.toReversed().map((reading) => [`${reading.epoch}/${reading.seq}`, reading])).values(),
  ].reverse();
}

function expectComplete(all: readonly ReadingPayload[]): void {
  const kept = deduplicated(all);
  expect(new Set(kept.map(({ epoch }) => epoch)).size).toBe(1);
  expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, index) => index + 1));
  const times = kept.map(({ time }) => time);
  expect(times).toEqual([...times].sort());
}

describe("the gateway with its own broker", () => {
  test("shows Debian's mosquitto_sub everything that a newcomer should see", async () => {
    const port = await freePort();
    gateway.configure(`gateway: { id: gw }
broker: { listeners: [ { port: ${port} } ] }
${DEVICES}  - { id: soil, driver: ds18b20, bus: sim, interval: 1s }
  - { id: door, driver: digital-input, pin: 17, bus: sim, interval: 1s, device_class: door }
  - { id: host, driver: host, interval: 5s }
`);
    await gateway.run();
    expect(gateway.out()).toBe(`fieldpost is running: gateway gw, broker mqtt://127.0.0.1:${port}\n`);

    const subscriber = spawn("mosquitto_sub", ["-p", String(port), "-t", "fieldpost/#", "-t", "homeassistant/#", "-v"]);
    let seen = "";
    subscriber.stdout.on("data", (chunk) => (seen += chunk));
    const topics = [
      "fieldpost/gw/status online",
      'fieldpost/gw/info {"',
      'fieldpost/gw/health {"',
      ...["climate", "room", "soil", "door", "host"].flatMap((id) => [
        `fieldpost/gw/${id}/status online`,
        `fieldpost/gw/${id}/config {"`,
        `fieldpost/gw/${id}/state {"`,
        `fieldpost/gw/${id}/readings {"`,
        `homeassistant/device/gw/${id}/config {"`,
      ]),
    ];
    await waitFor(() => topics.every((topic) => seen.includes(topic)), "every topic").finally(() => subscriber.kill());
    expect(seen).toMatch(
      /fieldpost\/gw\/climate\/state \{"temperature":[\d.]+,"humidity":[\d.]+,"pressure":[\d.]+,"time":"/,
    );
    const { out } = await gateway.command("status", "--json");
    expect(JSON.parse(out).broker).toMatchObject({ address: `mqtt://127.0.0.1:${port}`, connected: true });
    gateway.signal("SIGINT");
    expect(await gateway.exited()).toBe(0);
  });

  test("starts again with what a reload changed, and refuses a reload that is wrong", async () => {
    const port = await freePort();
    const base = `gateway: { id: gw }\nbroker: { listeners: [ { port: ${port} } ] }\n`;
    gateway.configure(base + DEVICES);
    await gateway.run();
    await using collector = await collect(port, "fieldpost/gw/+/status");
    await waitFor(() => collector.on("fieldpost/gw/room/status").includes("online"));

    gateway.configure(`${base}${DEVICES}  - { id: soil, driver: ds18b20, bus: sim, interval: 1s }\n`);
    gateway.signal("SIGHUP");
    await waitFor(() => collector.on("fieldpost/gw/soil/status").includes("online"), "the new device");
    expect(collector.on("fieldpost/gw/room/status")).toEqual(["online"]);

    gateway.configure(`${base}devices:\n  - { id: climate, driver: bme281, bus: sim }\n`);
    gateway.signal("SIGHUP");
    await waitFor(() => gateway.err().includes("the old one stays"), "the refusal");
    await waitFor(() => gateway.err().includes("bme280"), "what is wrong");
    const { code, out } = await gateway.command("status", "--json").then(async (finished) => {
      gateway.configure(base + DEVICES);
      return finished.code === 2 ? await gateway.command("status", "--json") : finished;
    });
    expect(code).toBe(0);
    expect(JSON.parse(out).devices.map(({ id }: { id: string }) => id)).toEqual(["climate", "room", "soil"]);
  });

  test("goes on with the old configuration when the new one cannot start", async () => {
    const [port, taken] = [await freePort(), await freePort()];
    const listening = (at: number) => `gateway: { id: gw }\nbroker: { listeners: [ { port: ${at} } ] }\n${DEVICES}`;
    const squatter = createServer().listen(taken, "127.0.0.1");
    await using _closed = { [Symbol.asyncDispose]: async () => void squatter.close() };
    gateway.configure(listening(port));
    await gateway.run();
    gateway.configure(listening(taken));
    gateway.signal("SIGHUP");
    await waitFor(() => gateway.err().includes("going on with the old one"), "the refusal", 20_000);
    await using collector = await collect(port, READINGS);
    await waitFor(() => readings(collector).length > 0, "a reading", 20_000);
    expect(gateway.err()).toContain(`port ${taken}`);
  });
});

describe("the gateway with Debian's Mosquitto", () => {
  let broker: Mosquitto;
  beforeEach(async () => {
    broker = await startMosquitto({ persistence: true });
    gateway.configure(
      `gateway: { id: gw }\nmqtt: { url: ${broker.url}, keep_alive: 5s, drain_rate: unlimited }\n${DEVICES}`,
    );
  });
  afterEach(() => broker[Symbol.asyncDispose]());

  test("leaves `offline` retained at a clean stop", async () => {
    await gateway.run();
    await using collector = await collect(broker.port, "fieldpost/gw/status");
    await waitFor(() => collector.on("fieldpost/gw/status").includes("online"));
    gateway.signal("SIGTERM");
    expect(await gateway.exited()).toBe(0);
    const retained = await retainedOn(broker.port, "fieldpost/gw/status");
    expect(retained.map(({ payload }) => payload)).toEqual(["offline"]);
  });

  test("is offline by its last will after kill -9", async () => {
    await gateway.run();
    await using collector = await collect(broker.port, "fieldpost/gw/status");
    await waitFor(() => collector.on("fieldpost/gw/status").includes("online"));
    gateway.signal("SIGKILL");
    await waitFor(() => collector.on("fieldpost/gw/status").at(-1) === "offline", "the will");
  });

  test("delivers what it took while the broker was away: all, in order, without a gap, and the state only once", async () => {
    await gateway.run();
    await using collector = await collect(broker.port, [READINGS, "fieldpost/gw/+/state"]);
    await waitFor(() => readings(collector).length >= 4);
    await broker.stop("SIGKILL");
    const before = readings(collector).length;
    const statesBefore = collector.on("fieldpost/gw/room/state").length;
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await broker.start();
    await waitFor(() => readings(collector).length >= before + 8, "the backlog", 15_000);
    expectComplete(readings(collector));
    expect(readings(collector).filter(({ replay }) => replay).length).toBeGreaterThanOrEqual(4);
    const room = collector.on("fieldpost/gw/room/state").slice(statesBefore);
    expect(room.length).toBeLessThan(readings(collector).length - before);
    expect(room).toEqual([...new Set(room)]);
  });

  test("loses nothing when it is killed while the broker is away", async () => {
    await gateway.run();
    await using collector = await collect(broker.port, READINGS);
    await waitFor(() => readings(collector).length >= 4);
    await broker.stop("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    gateway.signal("SIGKILL");
    await gateway.exited();
    await gateway.run();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const before = readings(collector).length;
    await broker.start();
    await waitFor(() => readings(collector).length >= before + 8, "the backlog", 15_000);
    expectComplete(readings(collector));
  });

  test("starts without a broker, and delivers when it comes", async () => {
    await broker.stop();
    await gateway.run();
    const { code, out } = await gateway.command("status", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out).faults[0]).toMatchObject({ part: "uplink", code: "BROKER_UNREACHABLE" });
    await broker.start();
    await using collector = await collect(broker.port, READINGS);
    await waitFor(() => readings(collector).length >= 4, "readings", 15_000);
    expectComplete(readings(collector));
  });

  test("decommissions a device and lets it come back while no service runs", async () => {
    await gateway.run();
    const ofRoom = async () => (await retainedOn(broker.port)).filter(({ topic }) => topic.includes("/room/"));
    await waitFor(async () => (await ofRoom()).length === 4, "status, config, state and discovery of the room", 20_000);
    gateway.signal("SIGKILL");
    await gateway.exited();
    const status = async () => (await retainedOn(broker.port, "fieldpost/gw/status")).map(({ payload }) => payload);
    await waitFor(async () => (await status())[0] === "offline", "the will");

    await broker.stop();
    const away = await gateway.command("decommission", "room");
    expect(away).toMatchObject({ code: 0, err: "" });
    expect(away.out).toContain("ECONNREFUSED");
    await broker.start();
    const done = await gateway.command("decommission", "room", "--json");
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(done.out).topics).toHaveLength(4);
    expect(await ofRoom()).toEqual([]);
    expect(await status()).toEqual(["offline"]);

    expect(await gateway.command("run")).toMatchObject({ code: 2 });
    expect(await ofRoom()).toEqual([]);
    expect((await gateway.command("decommission", "room", "--revive")).code).toBe(0);
    expect((await gateway.command("decommission", "ghost")).code).toBe(2);
    await gateway.run();
    await waitFor(async () => (await ofRoom()).length === 4, "the revived room", 20_000);
  });

  test("does not retain states that expire in Home Assistant, and sends them again on its birth", async () => {
    gateway.configure(`gateway: { id: gw }
mqtt: { url: ${broker.url} }
home_assistant: { expire_after: 5m }
devices: [ { id: room, driver: sht4x, bus: sim, interval: 1h, qos: { state: 0 } } ]
`);
    await using collector = await collect(broker.port, ["fieldpost/gw/+/state", "homeassistant/#"]);
    await gateway.run();
    const states = () => collector.messages.filter(({ topic }) => topic === "fieldpost/gw/room/state");
    await waitFor(() => states().length === 2, "the state, once more after the discovery");
    await collector.publish("homeassistant/status", "online");
    await waitFor(() => states().length > 2, "the states after the birth of Home Assistant");
    expect(states().map(({ retain, qos }) => ({ retain, qos }))[0]).toEqual({ retain: false, qos: 0 });
    expect(collector.on("homeassistant/device/gw/room/config")[0]).toContain('"expire_after":300');
  });

  test("takes a changed log level while it runs", async () => {
    await gateway.run();
    expect((await gateway.command("log", "debug")).code).toBe(0);
    expect((await gateway.command("log", "loud")).code).toBe(2);
  });
});

test("a command says that no service is running, and what to do", async () => {
  gateway.configure(DEVICES);
  const { code, err } = await gateway.command("status");
  expect(code).toBe(3);
  expect(err).toContain("systemctl start fieldpost");
});
