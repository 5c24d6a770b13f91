import { spawnSync } from "node:child_process";
import { createConnection } from "node:net";
import { join } from "node:path";
import { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createGateway, type Gateway, MAIN } from "../support/gateway.ts";
import { collect, freePort, waitFor } from "../support/mosquitto.ts";

let gateway: Gateway;
beforeEach(() => {
  gateway = createGateway();
});
afterEach(() => gateway[Symbol.asyncDispose]());

const passwords = () => join(gateway.directory, "passwords");

function passwd(user: string, ...options: string[]): void {
  const args = [MAIN, "passwd", passwords(), user, ...options, "--config", gateway.configFile];
  const { status, stderr } = spawnSync(process.execPath, args, { input: `${user}'s password\n`, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

test("passwords and access rules bind users, not the gateway itself, and change at a reload", async () => {
  const port = await freePort();
  const socket = join(gateway.directory, "mqtt.sock");
  gateway.configure(`gateway: { id: gw }
broker:
  password_file: passwords
  acl_file: acl
  listeners: [ { port: ${port} }, { path: ${socket}, allow_anonymous: false } ]
devices: [ { id: climate, driver: bme280, bus: sim, interval: 1s } ]
`);
  passwd("display", "--role", "reader");
  await gateway.run();
  expect(gateway.out()).toContain(`broker mqtt://127.0.0.1:${port}, unix:${socket}`);
  const as = (username: string) => ({ username, password: `${username}'s password`, reconnectPeriod: 0 });

  await using display = await collect(port, "fieldpost/#", as("display"));
  await waitFor(() => display.on("fieldpost/gw/climate/readings").length > 0, "what the gateway publishes", 20_000);
  await expect(display.publish("fieldpost/gw/climate/set", "on")).rejects.toThrow(/not authorized/i);

  passwd("second", "--role", "homeassistant");
  gateway.signal("SIGHUP");
  await waitFor(() => gateway.err().includes("configuration reloaded"), "the reload", 20_000);
  for (const protocolVersion of [4, 5] as const) {
    const local = new MqttClient(() => createConnection(socket), { ...as("second"), protocolVersion });
    await new Promise((resolve) => local.once("connect", resolve));
    await local.publishAsync("fieldpost/gw/climate/set", `over the socket ${protocolVersion}`, { qos: 1 });
    await local.endAsync();
  }
  const heard = ["over the socket 4", "over the socket 5"];
  await waitFor(() => display.on("fieldpost/gw/climate/set").length === 2, "what was written over the Unix socket");
  expect(display.on("fieldpost/gw/climate/set")).toEqual(heard);

  passwd("display", "--delete");
  gateway.signal("SIGHUP");
  await waitFor(() => gateway.err().includes("its user was removed"), "the end of a deleted user", 20_000);
}, 120_000);

test("what happens at the bundled broker is told in health and in status", async () => {
  const port = await freePort();
  gateway.configure(`gateway: { id: gw }
broker: { listeners: [ { port: ${port} } ], password_file: passwords }
devices: [ { id: climate, driver: bme280, bus: sim, interval: 1s } ]
`);
  passwd("display");
  await gateway.run();
  const asDisplay = { username: "display", password: "display's password" };
  await using display = await collect(port, "fieldpost/gw/health", asDisplay);
  await display.publish("house/lamp", "on", { retain: true });
  const refused = new MqttClient(() => createConnection(port, "127.0.0.1"), {
    reconnectPeriod: 0,
    username: "display",
  });
  await new Promise((resolve) => refused.once("error", resolve));
  await refused.endAsync(true);

  const { code, out } = await gateway.command("status", "--json");
  expect(code).toBe(0);
  const { bundled } = JSON.parse(out).broker;
  expect(bundled).toMatchObject({ clients: 2, refused_connections: { auth: 1 }, queued: { messages: 0, bytes: 0 } });
  expect(bundled.retained.messages).toBeGreaterThan(3);
  const told = () => display.on("fieldpost/gw/health").map((payload) => JSON.parse(payload).broker);
  await waitFor(() => told().length > 0, "health", 30_000);
  expect(Object.keys(told()[0]).sort()).toEqual(Object.keys(bundled).sort());
  expect(told()[0].clients).toBeGreaterThan(0);
}, 120_000);
