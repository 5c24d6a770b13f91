import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { type BrokerKind, brokers, CLIMATE, ROOM } from "./decommission-brokers.ts";
import { configured, killRound, ofRoom, runUntilShown } from "./decommission-rounds.ts";

// Processes that start and stop several times: a busy machine takes its time.
vi.setConfig({ testTimeout: 180_000 });

let gateway: Gateway;
beforeEach(() => {
  gateway = createGateway();
});
afterEach(() => gateway[Symbol.asyncDispose]());

describe.each(Object.keys(brokers) as BrokerKind[])("decommission with the broker %s", (kind) => {
  test("of a device, killed in the middle, then run again, leaves nothing", async () => {
    const step = "clear its retained topics";
    expect(await killRound({ kind, id: "room", step })).toBe(step);
  });

  test("of the gateway, killed in the middle, is finished by the next start", async () => {
    const step = "withdraw it from Home Assistant";
    expect(await killRound({ kind, id: "gateway", step })).toBe(step);
  });

  test("of the gateway delivers what waits, clears everything, and ends the service", async () => {
    await using broker = await brokers[kind]();
    gateway.configure(configured(broker));
    await runUntilShown(gateway, broker);
    await using collector = await collect(broker.port, ["fieldpost/#", "homeassistant/#"]);
    const plan = await gateway.command("decommission", "--gateway", "--dry-run", "--json");
    expect(JSON.parse(plan.out).topics).toHaveLength(12);
    const { code, out } = await gateway.command("decommission", "--gateway", "--yes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ outcome: "done", left: [], waiting: 0 });
    expect(new Set(JSON.parse(out).topics)).toEqual(new Set(JSON.parse(plan.out).topics));
    expect(await gateway.exited()).toBe(0);
    const last = new Map(collector.messages.filter(({ retain }) => retain).map((one) => [one.topic, one.payload]));
    expect([...last.values()].filter((payload) => payload !== "")).toEqual([]);

    const checked = await gateway.command("check");
    expect(checked.code).toBe(2);
    expect(checked.err).toContain("fieldpost decommission --gateway --revive");
    expect((await gateway.command("decommission", "--gateway", "--revive")).code).toBe(0);
    await runUntilShown(gateway, broker);
  });
});

describe("decommission of a device", () => {
  let broker: Mosquitto;
  beforeEach(async () => {
    broker = await startMosquitto({ persistence: true });
    gateway.configure(`gateway: { id: gw }\nmqtt: { url: ${broker.url} }\ndevices:\n${CLIMATE}${ROOM}`);
  });
  afterEach(() => broker[Symbol.asyncDispose]());
  const shown = async () => (await retainedOn(broker.port)).map(({ topic }) => topic);
  const rooms = async () => (await shown()).filter(ofRoom);

  test("is queued while the broker is away, and finished when it is there, over restarts", async () => {
    await gateway.run();
    await waitFor(async () => (await rooms()).length === 4, "the room");
    await broker.stop();
    await waitFor(async () => (await gateway.command("status")).code === 1, "that the broker is missed");
    const queued = await gateway.command("decommission", "room", "--json");
    expect(queued.code).toBe(0);
    expect(JSON.parse(queued.out)).toMatchObject({ outcome: "queued", topics: [] });
    expect(JSON.parse(queued.out).left).toHaveLength(4);
    gateway.signal("SIGKILL");
    await gateway.exited();

    gateway.configure(`gateway: { id: gw }\nmqtt: { url: ${broker.url} }\ndevices:\n${CLIMATE}`);
    await gateway.run();
    await broker.start();
    await waitFor(async () => (await rooms()).length === 0, "the end of the room");
    await waitFor(() => gateway.err().includes("decommission is finished"), "the news of it");
  });

  test("is asked for twice at once, and both get an answer", async () => {
    await gateway.run();
    await waitFor(async () => (await rooms()).length === 4, "the room");
    const both = await Promise.all([1, 2].map(() => gateway.command("decommission", "room", "--json")));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const answers = both.map(({ out }) => JSON.parse(out));
    expect(answers.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
    expect(answers.map(({ topics }) => topics.length).toSorted()).toEqual([0, 4]);
  });

  test("is remembered: `check` and a reload refuse the old configuration, with the way back", async () => {
    await gateway.run();
    await waitFor(async () => (await rooms()).length === 4, "the room");
    await gateway.command("decommission", "room");
    const { code, err } = await gateway.command("check");
    expect(code).toBe(2);
    expect(err).toMatch(/fieldpost\.yaml:\d+:\d+/);
    expect(err).toContain("`fieldpost decommission room --revive`");
    gateway.signal("SIGHUP");
    await waitFor(() => gateway.err().includes("the old one stays"), "the refusal");
    expect((await gateway.command("decommission", "room", "--revive")).code).toBe(0);
    await waitFor(async () => (await rooms()).length === 4, "the room again");
  });

  test("tells of a device that there never was", async () => {
    await gateway.run();
    const { code, err } = await gateway.command("decommission", "ghost");
    expect(code).toBe(2);
    expect(err).toContain('no device "ghost"');
  });
});

test("topics of an earlier base topic, discovery prefix and gateway id are cleared once the new ones are there", async () => {
  await using broker = await startMosquitto();
  const configureAs = (id: string, mqtt: string, rest = "") =>
    gateway.configure(`gateway: { id: ${id} }\nmqtt: { url: ${broker.url}${mqtt} }\n${rest}devices:\n${ROOM}`);
  const shown = async () => (await retainedOn(broker.port)).map(({ topic }) => topic).toSorted();
  const under = (base: string, prefix: string, id: string) =>
    [
      ...["status", "info", "health", "room/status", "room/state", "room/config"].map(
        (rest) => `${base}/${id}/${rest}`,
      ),
      ...["gateway", "room"].map((device) => `${prefix}/device/${id}/${device}/config`),
    ].toSorted();
  const runWith = async (expected: string[]) => {
    await gateway.run();
    await waitFor(async () => JSON.stringify(await shown()) === JSON.stringify(expected), expected.join(", "));
    gateway.signal("SIGTERM");
    await gateway.exited();
  };
  configureAs("gw", "");
  await runWith(under("fieldpost", "homeassistant", "gw"));
  configureAs("gw", ", base_topic: farm/north");
  await runWith(under("farm/north", "homeassistant", "gw"));
  configureAs("gw", ", base_topic: farm/north", "home_assistant: { discovery_prefix: ha }\n");
  await runWith(under("farm/north", "ha", "gw"));
  configureAs("barn", ", base_topic: farm/north", "home_assistant: { discovery_prefix: ha }\n");
  await runWith(under("farm/north", "ha", "barn"));
});
