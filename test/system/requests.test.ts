import mqtt from "mqtt";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collector, collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { CLIMATE, ROOM } from "./decommission-brokers.ts";
import { ofRoom } from "./decommission-rounds.ts";

vi.setConfig({ testTimeout: 180_000 });

let gateway: Gateway;
let broker: Mosquitto;
let asker: Collector;
beforeEach(async () => {
  gateway = createGateway();
  broker = await startMosquitto();
  gateway.configure(`gateway: { id: gw }\nmqtt: { url: ${broker.url} }\ndevices:\n${CLIMATE}${ROOM}`);
  asker = await collect(broker.port, ["fieldpost/gw/response/+", "fieldpost/gw/+/state", "fieldpost/gw/status"]);
  await gateway.run();
  await waitFor(() => ["climate", "room"].every((id) => asker.on(`fieldpost/gw/${id}/state`).length > 0), "both");
});
afterEach(async () => {
  await asker[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

/** Asks as MQTT 3.1.1 can: the answer comes on the response topic of that name. */
async function ask(name: string, request: object | string = {}): Promise<Record<string, unknown>> {
  const topic = `fieldpost/gw/response/${name}`;
  const before = asker.on(topic).length;
  await asker.publish(`fieldpost/gw/request/${name}`, typeof request === "string" ? request : JSON.stringify(request));
  await waitFor(() => asker.on(topic).length > before, `the answer to ${name}`);
  return JSON.parse(asker.on(topic)[before] ?? "");
}

test("info, read, identify, retained, reload and decommission are answered", async () => {
  expect(await ask("info")).toMatchObject({ ok: true, id: "gw", devices: [{ id: "climate" }, { id: "room" }] });
  expect(await ask("read", { device: "room" })).toMatchObject({
    ok: true,
    devices: {
      room: { state: "ok", online: true, values: { temperature: expect.any(Number) }, units: { temperature: "°C" } },
    },
  });
  expect(Object.keys((await ask("read")).devices as object)).toEqual(["climate", "room"]);
  expect(await ask("identify")).toMatchObject({ ok: true, blinks: expect.any(Boolean) });
  expect(gateway.err()).toContain("somebody asks which one this is");

  await asker.publish("fieldpost/gw/ghost/state", "{}", { retain: true });
  expect(await ask("retained")).toMatchObject({
    ok: true,
    found: 1,
    findings: [{ topic: "fieldpost/gw/ghost/state" }],
  });
  expect(await ask("retained", { clear: ["fieldpost/gw/ghost/state"] })).toMatchObject({ ok: true });
  expect(await ask("retained")).toMatchObject({ ok: true, found: 0 });

  expect(await ask("decommission", { device: "room", dry_run: true })).toMatchObject({ ok: true, outcome: "would" });
  expect(await ask("decommission", { device: "room" })).toMatchObject({ ok: true, outcome: "done" });
  expect((await retainedOn(broker.port)).map(({ topic }) => topic).filter(ofRoom)).toEqual([]);
  // The file still has the room.
  expect(await ask("reload")).toMatchObject({ ok: false, error: { code: "CONFIG_INVALID" } });
  gateway.configure(`gateway: { id: gw }\nmqtt: { url: ${broker.url} }\ndevices:\n${CLIMATE}`);
  expect(await ask("reload")).toEqual({ ok: true });
  const before = asker.on("fieldpost/gw/status").length;
  expect(await ask("restart")).toEqual({ ok: true });
  await waitFor(() => asker.on("fieldpost/gw/status").slice(before).join() === "offline,online", "the restart");
});

test("several that audit at once do not cut each other off", async () => {
  const topic = "fieldpost/gw/response/retained";
  const asked = 4;
  await Promise.all(Array.from({ length: asked }, () => asker.publish("fieldpost/gw/request/retained", "{}")));
  await waitFor(() => asker.on(topic).length >= asked, "all answers");
  expect(asker.on(topic).map((payload) => JSON.parse(payload).ok)).toEqual([true, true, true, true]);
});

test("what is wrong with a request is said, and nothing done", async () => {
  const invalid = { ok: false, error: { code: "REQUEST_INVALID" } };
  expect(await ask("decommission", {})).toMatchObject(invalid);
  expect(await ask("decommission", { device: "room", force: true })).toMatchObject(invalid);
  expect(await ask("decommission", { device: "../#" })).toMatchObject(invalid);
  expect(await ask("read", "[]")).toMatchObject(invalid);
  expect(await ask("retained", { clear: ["zigbee2mqtt/lamp"] })).toMatchObject(invalid);
  expect(await ask("read", { device: "ghost" })).toMatchObject({ ok: false, error: { code: "DEVICE_UNKNOWN" } });
  expect(await ask("fly")).toMatchObject({ ok: false, error: { code: "REQUEST_UNKNOWN" } });
});

test("the answer goes where MQTT 5 says, with the correlation data", async () => {
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  await client.subscribeAsync("my/answers");
  const answer = new Promise<{ payload: string; correlation: string | undefined }>((resolve) => {
    client.on("message", (_topic, payload, { properties }) =>
      resolve({ payload: payload.toString(), correlation: properties?.correlationData?.toString() }),
    );
  });
  const properties = { responseTopic: "my/answers", correlationData: Buffer.from("42") };
  await client.publishAsync("fieldpost/gw/request/info", "", { properties });
  const { payload, correlation } = await answer;
  await client.endAsync(true);
  expect(JSON.parse(payload)).toMatchObject({ ok: true, id: "gw" });
  expect(correlation).toBe("42");
});
