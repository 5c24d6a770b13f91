import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collector, collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { SimulatedDiscovery } from "../support/simulated-discovery.ts";
import { migratedHall } from "./migrated-hall.ts";

vi.setConfig({ testTimeout: 300_000 });

const NEW = "homeassistant/device/gw/hall/config";
const KEYS = ["temperature", "humidity"];
const oldTopic = (key: string) => `homeassistant/sensor/mqtt-io-1/hall_${key}/config`;
const isOld = (topic: string) => topic.includes("/mqtt-io-1/");
const isOurs = (topic: string) => topic.startsWith("homeassistant/device/");
/** What the user called them: nothing would make these names again. */
const THEIRS = ["sensor.cellar_humidity", "sensor.cellar_temperature"];

let gateway: Gateway;
let broker: Mosquitto;
let mqttIo: Collector;
let homeAssistant: SimulatedDiscovery;
beforeEach(async () => {
  gateway = createGateway();
  broker = await startMosquitto();
  mqttIo = await collect(broker.port, ["fieldpost/#"]);
  homeAssistant = await SimulatedDiscovery.start(broker.url);
  await mqttIoStarts();
  await waitFor(() => homeAssistant.entities(isOld).length === 2, "mqtt-io's entities");
  for (const key of KEYS) homeAssistant.registry.set(`sensor mqtt-io-1_${key}`, `sensor.cellar_${key}`);
  const places = KEYS.map((key) => [key, { uniqueId: `mqtt-io-1_${key}`, migrateFrom: oldTopic(key) }]);
  gateway.configure(migratedHall(broker.url, Object.fromEntries(places)));
  await gateway.run();
  await waitFor(() => gateway.err().split("the entity goes on here").length - 1 === KEYS.length, "the migration");
  expect(ours()).toEqual(THEIRS);
  expect(homeAssistant.entities(isOld)).toEqual([]);
  gateway.signal("SIGTERM");
  await gateway.exited();
});
afterEach(async () => {
  await homeAssistant[Symbol.asyncDispose]();
  await mqttIo[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

async function mqttIoStarts(): Promise<void> {
  for (const key of KEYS) {
    const payload = { unique_id: `mqtt-io-1_${key}`, name: `hall ${key}`, state_topic: `mqtt-io/sensor/hall_${key}` };
    await mqttIo.publish(oldTopic(key), JSON.stringify(payload), { retain: true });
  }
}

/** As README's line of jq does it. */
function withoutOwn(payload: string): string {
  const message = JSON.parse(payload);
  const components = Object.entries(message.components as Record<string, { platform: string; unique_id: string }>).map(
    ([key, component]) => [key, component.unique_id.startsWith("gw_") ? { platform: component.platform } : component],
  );
  return JSON.stringify({ ...message, components: Object.fromEntries(components) });
}

const isHall = (topic: string) => topic === NEW;
const ours = () => homeAssistant.entities(isOurs).filter((id) => id.startsWith("sensor.cellar_"));
const end = () => gateway.command("decommission", "--gateway", "--yes", "--json");

test("back to mqtt-io: unloaded here, announced there, then ended here, the entities stay what the user made of them", async () => {
  await mqttIo.publish(NEW, withoutOwn((await retainedOn(broker.port, NEW))[0]?.payload ?? ""), { retain: true });
  await waitFor(() => homeAssistant.entities(isHall).length === 2, "the end of what mqtt-io never had");
  await mqttIo.publish(NEW, '{"migrate_discovery":true}', { retain: true });
  await waitFor(() => homeAssistant.entities(isHall).length === 0, "that the others are unloaded");
  await mqttIoStarts();
  await waitFor(() => homeAssistant.entities(isOld).length === 2, "that they live by mqtt-io again");
  // Whoever is interrupted here loses nothing.
  await homeAssistant.restart();
  await waitFor(() => homeAssistant.entities(isOld).length === 2, "the same after a restart of Home Assistant");

  const ended = await end();
  expect(JSON.parse(ended.out)).toMatchObject({ outcome: "done", left: [] });
  await waitFor(() => homeAssistant.entities(isOurs).length === 0, "the end of everything of ours");
  expect(homeAssistant.entities()).toEqual(THEIRS);
  expect([...homeAssistant.registry.values()].toSorted()).toEqual(THEIRS);
  expect(homeAssistant.errors).toEqual([]);
  const left = (await retainedOn(broker.port)).map(({ topic }) => topic);
  expect(left.toSorted()).toEqual(KEYS.map(oldTopic).toSorted());
  // An old service start brings nothing back.
  expect(await gateway.command("run")).toMatchObject({ code: 2 });
});

test("ended here first, Home Assistant forgets what the user made of them", async () => {
  await end();
  await waitFor(() => homeAssistant.entities().length === 0, "the end");
  await mqttIoStarts();
  await waitFor(() => homeAssistant.entities(isOld).length === 2, "mqtt-io's entities");
  expect(homeAssistant.entities()).toEqual(["sensor.hall_humidity", "sensor.hall_temperature"]);
});
