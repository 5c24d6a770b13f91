import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collector, collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

vi.setConfig({ testTimeout: 180_000 });

const DISCOVERY = "homeassistant/device/gw/room/config";
let gateway: Gateway;
let broker: Mosquitto;
let collector: Collector;
beforeEach(async () => {
  gateway = createGateway();
  broker = await startMosquitto({ persistence: true });
  collector = await collect(broker.port, ["homeassistant/#", "fieldpost/#"]);
});
afterEach(async () => {
  await collector[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

const configure = (...devices: string[]) =>
  gateway.configure(
    `gateway: { id: gw }\nmqtt: { url: ${broker.url} }\ndevices:\n${devices.map((one) => `  - { ${one} }\n`).join("")}`,
  );
const room = (rest = "") => `id: room, driver: sht4x, bus: sim, interval: 1s${rest}`;
const announced = () => collector.on(DISCOVERY);
const stop = async (signal: "SIGTERM" | "SIGKILL" = "SIGTERM") => {
  gateway.signal(signal);
  await gateway.exited();
};
const online = () => waitFor(() => collector.on("fieldpost/gw/status").at(-1) === "online", "online");

test("a device that is deleted in Home Assistant stays away over restarts, until it is asked for", async () => {
  configure(room(), "id: hall, driver: sht4x, address: 0x45, bus: sim, interval: 1s");
  await gateway.run();
  await waitFor(() => announced().length > 0 && collector.on("fieldpost/gw/room/state").length > 0, "the room");
  await collector.publish(DISCOVERY, "", { retain: true });
  await waitFor(() => gateway.err().includes("deleted in Home Assistant"), "the news");
  const before = announced().length;
  await collector.publish("homeassistant/status", "online");
  const halls = collector.on("homeassistant/device/gw/hall/config").length;
  await waitFor(() => collector.on("homeassistant/device/gw/hall/config").length > halls, "the others");
  await stop();
  await gateway.run();
  await online();
  expect(
    announced()
      .slice(before)
      .filter((payload) => payload !== ""),
  ).toEqual([]);
  expect(await gateway.command("announce", "room")).toMatchObject({ code: 0 });
  await waitFor(async () => (await retainedOn(broker.port, DISCOVERY)).length === 1, "the room again");
});

test("a deletion while the gateway was down is respected, too; a broker that lost everything is told everything", async () => {
  configure(room());
  await gateway.run();
  await waitFor(() => announced().length > 0 && collector.on("fieldpost/gw/room/state").length > 0, "the room");
  await stop();
  await collector.publish(DISCOVERY, "", { retain: true });
  const before = announced().length;
  await gateway.run();
  await waitFor(() => gateway.err().includes("deleted in Home Assistant"), "the news");
  await online();
  expect(
    announced()
      .slice(before)
      .filter((payload) => payload !== ""),
  ).toEqual([]);
  expect(await gateway.command("announce")).toMatchObject({ code: 0 });
  await waitFor(async () => (await retainedOn(broker.port, DISCOVERY)).length === 1, "the room again");

  await stop();
  for (const { topic } of await retainedOn(broker.port, "#")) await collector.publish(topic, "", { retain: true });
  await gateway.run();
  await waitFor(
    async () => (await retainedOn(broker.port, DISCOVERY)).length === 1,
    "the room at a broker that lost it",
  );
});

test("a channel that is taken out is removed by its platform, then left out", async () => {
  configure(room());
  await gateway.run();
  await waitFor(() => announced().length > 0 && collector.on("fieldpost/gw/room/state").length > 0, "the room");
  await collector.publish("homeassistant/status", "online");
  const before = announced().length;
  configure(room(", channels: { humidity: { enabled: false } }"));
  gateway.signal("SIGHUP");
  const isLeftOut = (payload: string) => !("humidity" in JSON.parse(payload).components);
  await waitFor(() => announced().slice(before).some(isLeftOut), "the message without it");
  const humidity = announced()
    .slice(before)
    .map((payload) => JSON.parse(payload).components.humidity);
  expect(humidity).toContainEqual({ platform: "sensor" });
  expect(humidity.indexOf(undefined)).toBeGreaterThan(humidity.findIndex((one) => one && !("unique_id" in one)));
});

test.each([
  ["at a start", () => stop().then(() => gateway.run())],
  ["at a reload", async () => gateway.signal("SIGHUP")],
])("a device that has a new id %s keeps its entities, and nothing is left under the old id", async (_when, begin) => {
  configure(room());
  await gateway.run();
  await waitFor(() => announced().length > 0 && collector.on("fieldpost/gw/room/state").length > 0, "the room");
  const old = JSON.parse(announced().at(-1) ?? "");
  configure(`${room().replace("id: room", "id: attic, previous_id: room")}`);
  await begin();
  await waitFor(async () => {
    const topics = (await retainedOn(broker.port)).map(({ topic }) => topic);
    return (
      topics.includes("fieldpost/gw/attic/state") && !topics.some((topic) => topic.startsWith("fieldpost/gw/room/"))
    );
  }, "the topics of the new id alone");
  const discovery = async () => JSON.parse((await retainedOn(broker.port, DISCOVERY))[0]?.payload ?? "{}");
  await waitFor(async () => (await discovery()).state_topic === "fieldpost/gw/attic/state", "its discovery");
  const renamed = await discovery();
  expect(renamed.device.identifiers).toEqual(old.device.identifiers);
  expect(renamed.components.temperature.unique_id).toBe(old.components.temperature.unique_id);

  // From now on the new id alone is enough.
  await stop();
  configure(room().replace("id: room", "id: attic"));
  await gateway.run();
  await online();
  expect((await discovery()).device.identifiers).toEqual(old.device.identifiers);
});
