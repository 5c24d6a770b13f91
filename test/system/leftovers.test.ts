import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { collect, freePort, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { CLIMATE, ROOM } from "./decommission-brokers.ts";
import { ofRoom } from "./decommission-rounds.ts";

vi.setConfig({ testTimeout: 180_000 });

let gateway: Gateway;
let broker: Mosquitto;
beforeEach(async () => {
  gateway = createGateway();
  broker = await startMosquitto();
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

const yaml = (devices: string, rest = "", id = "gw") =>
  `gateway: { id: ${id} }\nmqtt: { url: ${broker.url} }\n${rest}devices:\n${devices}`;
const shown = async () => (await retainedOn(broker.port)).map(({ topic }) => topic).toSorted();

test("a device that left the configuration is offline at once, and nothing of it is left after the grace", async () => {
  const grace = "removed_devices: { grace: 10s }\n";
  gateway.configure(yaml(CLIMATE + ROOM, grace));
  await gateway.run();
  await waitFor(async () => (await shown()).filter(ofRoom).length === 4, "the room");
  await using collector = await collect(broker.port, "fieldpost/gw/room/status");
  gateway.configure(yaml(CLIMATE, grace));
  gateway.signal("SIGHUP");
  await waitFor(() => collector.on("fieldpost/gw/room/status").includes("offline"), "offline");
  await waitFor(async () => (await shown()).filter(ofRoom).length === 0, "the end of the room");
  const { retained } = JSON.parse((await retainedOn(broker.port, "fieldpost/gw/health"))[0]?.payload ?? "{}");
  expect(retained).toBeGreaterThan(0);
});

test("the discovery of a device that was renamed is no leftover, and one that was deleted there is no fault", async () => {
  const ATTIC = "  - { id: attic, driver: sht4x, bus: sim, interval: 1s, previous_id: room }\n";
  const discovery = "homeassistant/device/gw/room/config";
  gateway.configure(yaml(ATTIC));
  await gateway.run();
  await waitFor(async () => (await shown()).includes("fieldpost/gw/attic/state"), "the attic");
  const audited = async () => JSON.parse((await gateway.command("retained", "--json")).out).findings;
  expect(await shown()).toContain(discovery);
  expect(await audited()).toEqual([]);

  await using homeAssistant = await collect(broker.port, "nothing");
  await homeAssistant.publish(discovery, "", { retain: true });
  await waitFor(() => gateway.err().includes("deleted in Home Assistant"), "the news");
  const faults = async () => JSON.parse((await gateway.command("status", "--json")).out).faults;
  await waitFor(async () => (await faults()).length === 0, "no fault");
  const { out } = await gateway.command("decommission", "attic", "--dry-run");
  expect(out).not.toContain(discovery);

  gateway.signal("SIGTERM");
  await gateway.exited();
  expect(await audited()).toEqual([]);
});

describe("another gateway", () => {
  let dead: Gateway;
  beforeEach(async () => {
    dead = createGateway();
    dead.configure(yaml(ROOM, "", "pi"));
    await dead.run();
    await waitFor(async () => (await shown()).filter(ofRoom).length === 4, "the room");
    gateway.configure(yaml(CLIMATE));
  });
  afterEach(() => dead[Symbol.asyncDispose]());

  test("is refused while it is online, and ended without its ledger when it is gone", async () => {
    for (const wild of ["+", "#", "pi/climate", ""]) {
      const { code, out, err } = await gateway.command("decommission", "--of", wild, "--yes");
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain("is no gateway's id");
    }
    const refused = await gateway.command("decommission", "--of", "pi");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('the gateway "pi" is online');
    dead.signal("SIGKILL");
    await dead.exited();
    await waitFor(
      async () => (await retainedOn(broker.port, "fieldpost/pi/status"))[0]?.payload === "offline",
      "the will",
    );
    await gateway.run();
    await waitFor(async () => (await shown()).some((topic) => topic.includes("/climate/state")), "our own device");
    const plan = await gateway.command("decommission", "--of", "pi", "--dry-run", "--json");
    expect(JSON.parse(plan.out)).toMatchObject({ outcome: "would", complete: true });
    expect(JSON.parse(plan.out).topics).toHaveLength(8);
    const done = await gateway.command("decommission", "--of", "pi", "--yes", "--json");
    expect(done.code).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({ outcome: "done" });
    expect((await shown()).filter((topic) => topic.includes("/pi/"))).toEqual([]);
    expect((await shown()).filter((topic) => topic.includes("/gw/"))).toHaveLength(8);
    expect((await gateway.command("decommission", "--of", "pi")).code).toBe(2);
  });
});

test("the audit lists what is not right, and clears exactly what it listed and is ours", async () => {
  gateway.configure(yaml(CLIMATE));
  await gateway.run();
  await waitFor(async () => (await shown()).some((topic) => topic.includes("/climate/state")), "our own device");
  expect(await gateway.command("retained")).toMatchObject({ code: 0 });

  await using other = await collect(broker.port, "nothing");
  const ours = ["fieldpost/gw/ghost/state", "homeassistant/device/gw/ghost/config"];
  const theirs = ["fieldpost/nobody/x/state", "zigbee2mqtt/lamp"];
  for (const topic of [...ours, ...theirs]) await other.publish(topic, "{}", { retain: true });
  const listed = await gateway.command("retained", "--json");
  expect(listed.code).toBe(1);
  const topicsListed = JSON.parse(listed.out).findings.map(({ topic }: { topic: string }) => topic);
  expect(topicsListed.toSorted()).toEqual([...ours, "fieldpost/nobody/x/state"].toSorted());

  expect((await gateway.command("retained", "--clear")).code).toBe(2);
  const cleared = await gateway.command("retained", "--clear", "--yes", "--json");
  expect(JSON.parse(cleared.out).cleared.toSorted()).toEqual(ours.toSorted());
  expect((await shown()).filter((topic) => topic.includes("ghost"))).toEqual([]);
  expect(await shown()).toEqual(expect.arrayContaining([...theirs, "fieldpost/gw/climate/state"]));

  gateway.signal("SIGTERM");
  await gateway.exited();
  const atRest = await gateway.command("retained", "--json");
  expect(JSON.parse(atRest.out).findings.map(({ topic }: { topic: string }) => topic)).toEqual([theirs[0]]);
});

describe("the audit of all topics, with the bundled broker", () => {
  const GHOST = "fieldpost/gw/ghost/state";
  const LAMP = "zigbee2mqtt/lamp";
  /** Of the two: on a busy machine our own may be a second late as well. */
  const audit = async (...args: string[]) => {
    const { code, out, err } = await gateway.command("retained", "--all", "--json", ...args);
    const findings: { topic: string; kind: string; clearable: boolean }[] = out === "" ? [] : JSON.parse(out).findings;
    const found = findings.filter(({ topic }) => [GHOST, LAMP].includes(topic));
    return { code, err, found: found.map(({ topic, kind, clearable }) => [topic, kind, clearable]) };
  };

  test("lists anybody's topic that had no news for so long, over a restart, and clears none that is not ours", async () => {
    const port = await freePort();
    gateway.configure(`gateway: { id: gw }\nbroker: { listeners: [ { port: ${port} } ] }\ndevices:\n${CLIMATE}`);
    await gateway.run();
    await using other = await collect(port, "nothing");
    await other.publish(LAMP, "on", { retain: true });
    await other.publish(GHOST, "{}", { retain: true });
    const ghost = [GHOST, "nobody", true];
    const lamp = [LAMP, "old", false];
    await waitFor(async () => (await audit("--older", "1s")).found.length === 2, "both");
    gateway.signal("SIGKILL");
    await gateway.exited();
    await gateway.run();
    expect((await audit("--older", "1s")).found).toEqual([ghost, lamp]);
    expect((await audit("--older", "1h")).found).toEqual([ghost]);
    expect((await audit("--older", "1s", "--clear", "--yes")).code).toBe(1);
    expect((await audit("--older", "1s")).found).toEqual([lamp]);
    expect((await retainedOn(port, "zigbee2mqtt/#")).map(({ payload }) => payload)).toEqual(["on"]);
  });

  test("is refused where the broker does not know", async () => {
    gateway.configure(yaml(CLIMATE));
    await gateway.run();
    const { code, err } = await audit();
    expect(code).toBe(2);
    expect(err).toContain("leave out `--all`");
  });
});
