import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collector, collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { migratedHall } from "./migrated-hall.ts";

vi.setConfig({ testTimeout: 300_000 });

const NEW = "homeassistant/device/gw/hall/config";
const OLD = ["temperature", "humidity"].map((key) => `homeassistant/sensor/mqtt-io-1/hall_${key}/config`);
const UNLOAD = '{"migrate_discovery":true}';

let gateway: Gateway;
let broker: Mosquitto;
let collector: Collector;
beforeEach(async () => {
  gateway = createGateway();
  broker = await startMosquitto();
  collector = await collect(broker.port, ["homeassistant/#", "fieldpost/#"]);
  const [temperature = "", humidity = ""] = OLD;
  gateway.configure(
    migratedHall(broker.url, {
      temperature: { uniqueId: "mqtt-io-1_dht_sensor_t", migrateFrom: temperature },
      humidity: { uniqueId: "mqtt-io-1_dht_sensor_h", migrateFrom: humidity },
    }),
  );
  await leave();
});
afterEach(async () => {
  await collector[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

/** What mqtt-io retained. */
async function leave() {
  for (const topic of OLD) await collector.publish(topic, '{"unique_id":"of mqtt-io"}', { retain: true });
}
const isDone = () => gateway.err().split("the entity goes on here").length - 1 >= OLD.length;
const discovery = () => collector.messages.filter(({ topic }) => [NEW, ...OLD].includes(topic));
const left = async () => (await retainedOn(broker.port, "homeassistant/sensor/#")).map(({ topic }) => topic);
const stop = async (signal: "SIGTERM" | "SIGKILL") => {
  gateway.signal(signal);
  await gateway.exited();
};

test("entities of mqtt-io are unloaded, then announced here, then their topics are cleared, once", async () => {
  await gateway.run();
  await waitFor(isDone, "the migration");
  const said = discovery().slice(OLD.length);
  const of = (payload: string) => said.flatMap((one, index) => (one.payload === payload ? [index] : []));
  const device = said.findIndex(({ topic }) => topic === NEW);
  expect(of(UNLOAD).map((index) => said[index]?.topic)).toEqual(OLD);
  expect(of("").map((index) => said[index]?.topic)).toEqual(OLD);
  expect(Math.max(...of(UNLOAD))).toBeLessThan(device);
  expect(Math.min(...of(""))).toBeGreaterThan(device);
  const { components } = JSON.parse(said[device]?.payload ?? "");
  expect([components.temperature.unique_id, components.humidity.unique_id]).toEqual([
    "mqtt-io-1_dht_sensor_t",
    "mqtt-io-1_dht_sensor_h",
  ]);
  expect(await left()).toEqual([]);
  expect(await gateway.command("retained")).toMatchObject({ code: 0 });

  // Neither a birth message of Home Assistant's nor a restart does it again.
  const before = collector.messages.length;
  await collector.publish("homeassistant/status", "online");
  const again = () => collector.messages.slice(before).filter(({ topic }) => topic === NEW).length;
  await waitFor(() => again() === 1, "the answer to the birth message");
  await stop("SIGTERM");
  await gateway.run();
  await waitFor(() => again() > 1 && collector.on("fieldpost/gw/status").at(-1) === "online", "the second start");
  expect(collector.messages.slice(before).filter(({ topic }) => OLD.includes(topic))).toEqual([]);

  // Who went back to mqtt-io for a while asks for it.
  await leave();
  expect(await gateway.command("announce", "hall")).toMatchObject({ code: 0 });
  await waitFor(async () => (await left()).length === 0, "the topics are cleared once more");
});

test.each([
  ["the first topic was told", () => discovery().some(({ payload }) => payload === UNLOAD)],
  ["the device was announced", () => collector.on(NEW).length > 0],
  ["a topic was cleared", () => discovery().some(({ payload }) => payload === "")],
])("killed when %s, the next start finishes it, and nothing is left", async (_, isThere) => {
  await gateway.run();
  await waitFor(isThere, "the moment of death");
  await stop("SIGKILL");
  await gateway.run();
  await waitFor(isDone, "the migration");
  await waitFor(() => collector.on("fieldpost/gw/status").at(-1) === "online", "online");
  expect(await left()).toEqual([]);
  expect(await retainedOn(broker.port, NEW)).toHaveLength(1);
  // The ledger has nothing of it any more: a decommission names every topic that may be left.
  const { out } = await gateway.command("decommission", "hall", "--dry-run");
  expect(out).toContain(NEW);
  expect(out).not.toContain("homeassistant/sensor/");
});
