import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

vi.setConfig({ testTimeout: 180_000 });

// Chance decides when within ten minutes of the start it asks first: here at once.
const AT_ONCE = "--import data:text/javascript,Math.random=()=>0.00001";

let gateway: Gateway;
let broker: Mosquitto;
let server: Server;
let asked: { readonly path: string | undefined; readonly accept: string | undefined }[];
let answer: { readonly status: number; readonly body: string };
beforeEach(async () => {
  asked = [];
  server = createServer(({ url: path, headers: { accept } }, response) => {
    asked.push({ path, accept });
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  broker = await startMosquitto();
  gateway = createGateway({ NODE_OPTIONS: AT_ONCE });
  gateway.configure(`gateway: { id: gw }
mqtt: { url: ${broker.url} }
home_assistant: { update_url: "http://127.0.0.1:${port()}/latest" }
devices: [{ id: climate, driver: bme280, bus: sim, interval: 1s }]
`);
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

function port(): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const retained = async (topic: string) => JSON.parse((await retainedOn(broker.port, topic))[0]?.payload ?? "null");
const health = () => retained("fieldpost/gw/health");

test("a newer version is asked for where the configuration says, and Home Assistant's update entity tells of it", async () => {
  answer = { status: 200, body: '{"tag_name": "v9.8.7", "assets": []}' };
  await gateway.run();
  await waitFor(async () => (await health())?.latest === "9.8.7", "the newest version in health");
  expect(asked).toEqual([{ path: "/latest", accept: "application/json" }]);
  const { components, origin, state_topic } = await retained("homeassistant/device/gw/gateway/config");
  const { update } = components;
  expect({ state_topic, ...update }).toMatchObject({ platform: "update", state_topic: "fieldpost/gw/health" });
  const told = await health();
  // What the entity's template takes is what health has.
  for (const key of update.value_template.match(/value_json\.\w+/g)) expect(told).toHaveProperty(key.split(".")[1]);
  expect(told.version).toBe(origin.sw_version);
});

test("what the address answers instead of a version is told once, and nothing else changes", async () => {
  answer = { status: 503, body: "later" };
  await gateway.run();
  await waitFor(() => gateway.err().includes("cannot look for a newer version"), "the news");
  expect(gateway.err()).toContain("/latest answers 503");
  await waitFor(async () => (await health()) !== null, "health");
  expect(await health()).not.toHaveProperty("latest");
  expect((await gateway.command("status")).code).toBe(0);
});
