import { expect, test, vi } from "vitest";
import { createGateway } from "../support/gateway.ts";
import { collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

vi.setConfig({ testTimeout: 240_000 });

const SET = "fieldpost/gw/room/temperature_offset/set";
const CONFIG = "fieldpost/gw/room/config";

test("an offset is changed from Home Assistant, shown retained, and outlives kill -9; a retained command is refused", async () => {
  await using gateway = createGateway();
  await using broker = await startMosquitto();
  gateway.configure(`gateway: { id: gw }
mqtt: { url: ${broker.url} }
devices:
  - id: room
    driver: sht4x
    bus: sim
    interval: 1s
    channels:
      temperature: { process: [{ calibrate: { adjustable: 500 } }] }
`);
  await using asker = await collect(broker.port, ["homeassistant/#", "fieldpost/gw/#"]);
  const offset = async () =>
    JSON.parse((await retainedOn(broker.port, CONFIG))[0]?.payload ?? "{}").offsets?.temperature;
  const temperature = () => JSON.parse(asker.on("fieldpost/gw/room/state").at(-1) ?? "{}").temperature;
  await gateway.run();
  await waitFor(() => temperature() !== undefined, "a value");
  await waitFor(async () => (await offset()) === 0, "the offset as configured");
  const [discovery] = await retainedOn(broker.port, "homeassistant/device/gw/room/config");
  const { temperature_offset: number } = JSON.parse(discovery?.payload ?? "").components;
  expect(number).toMatchObject({ command_topic: SET, state_topic: CONFIG, min: -500, max: 500 });

  await asker.publish(SET, "300");
  await waitFor(async () => (await offset()) === 300, "the acknowledgement");
  await waitFor(() => temperature() > 200, "a value with it");
  await asker.publish(SET, "501");
  await waitFor(() => gateway.err().includes("a command was refused"), "the refusal");
  expect(await offset()).toBe(300);
  expect((await gateway.command("status")).out).toContain("(offset 300)");

  gateway.signal("SIGKILL");
  await gateway.exited();
  await asker.publish(SET, "100", { retain: true });
  await gateway.run();
  await waitFor(async () => (await retainedOn(broker.port, SET)).length === 0, "the retained command is cleared");
  const seen = asker.on("fieldpost/gw/room/state").length;
  await waitFor(
    () => asker.on("fieldpost/gw/room/state").length > seen && temperature() > 200,
    "a value after the kill",
  );
  expect(await offset()).toBe(300);

  await asker.publish(SET, "reset");
  await waitFor(async () => (await offset()) === 0, "the offset as configured again");
  await waitFor(() => temperature() < 200, "a value without it");
  // Nothing retained was added that a decommission would not know.
  expect(await gateway.command("retained")).toMatchObject({ code: 0 });
});
