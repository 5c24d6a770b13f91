import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

// Processes that start and stop several times: a busy machine takes its time.
vi.setConfig({ testTimeout: 240_000 });

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

const sensor = (id: string, driver: string, rest = "") => `
  - id: ${id}
    driver: ${driver}
    bus: sim
    interval: 1s
    channels: { temperature: { process: [{ calibrate: { adjustable: 500 } }] } }${rest}`;
const HALL = sensor("hall", "bme280");
const configure = (...devices: string[]) =>
  gateway.configure(
    `gateway: { id: gw }\nmqtt: { url: ${broker.url} }\nremoved_devices: { grace: 3s }\ndevices:${devices.join("")}\n`,
  );
const offsetOf = async (id: string): Promise<unknown> =>
  JSON.parse((await retainedOn(broker.port, `fieldpost/gw/${id}/config`))[0]?.payload ?? "{}").offsets?.temperature;

/** A running gateway whose room was corrected by 300. */
async function corrected(): Promise<void> {
  configure(sensor("room", "sht4x"), HALL);
  await gateway.run();
  await waitFor(async () => (await offsetOf("room")) === 0, "the room");
  await using asker = await collect(broker.port, "fieldpost/gw/room/config");
  await asker.publish("fieldpost/gw/room/temperature_offset/set", "300");
  await waitFor(async () => (await offsetOf("room")) === 300, "the offset");
}

async function reload(...devices: string[]): Promise<void> {
  configure(...devices);
  gateway.signal("SIGHUP");
}

async function kill(): Promise<void> {
  gateway.signal("SIGKILL");
  await gateway.exited();
}

test("what was set for a device that ended is not its successor's, whether the service ended it or a command", async () => {
  await corrected();
  expect((await gateway.command("decommission", "room")).code).toBe(0);
  expect((await gateway.command("decommission", "room", "--revive")).code).toBe(0);
  await waitFor(async () => (await offsetOf("room")) === 0, "the next life of the room");

  await using asker = await collect(broker.port, "fieldpost/gw/room/config");
  await asker.publish("fieldpost/gw/room/temperature_offset/set", "200");
  await waitFor(async () => (await offsetOf("room")) === 200, "another offset");
  // Only staged, as far as the disk is concerned: the next start finds it there.
  await kill();
  const ended = await gateway.command("decommission", "room", "--yes", "--json");
  expect(JSON.parse(ended.out)).toMatchObject({ outcome: "done" });
  expect((await gateway.command("decommission", "room", "--revive")).code).toBe(0);
  await gateway.run();
  await waitFor(async () => (await offsetOf("room")) === 0, "the third life of the room");
});

test("ended while the broker is away and revived before it is back, a device begins anew", async () => {
  await corrected();
  await broker.stop();
  await waitFor(async () => (await gateway.command("status")).code === 1, "that the broker is missed");
  const queued = await gateway.command("decommission", "room", "--json");
  expect(JSON.parse(queued.out)).toMatchObject({ outcome: "queued" });
  await kill();
  expect((await gateway.command("decommission", "room", "--revive")).code).toBe(0);
  await gateway.run();
  await broker.start();
  await waitFor(async () => (await offsetOf("room")) === 0, "the next life of the room");
});

test("a device that is missing for less than the grace goes on as it was; after it, it has ended", async () => {
  await corrected();
  await reload(HALL);
  await waitFor(
    async () => (await retainedOn(broker.port, "fieldpost/gw/room/status"))[0]?.payload === "offline",
    "offline",
  );
  await reload(sensor("room", "sht4x"), HALL);
  await waitFor(
    async () => (await retainedOn(broker.port, "fieldpost/gw/room/status"))[0]?.payload === "online",
    "back",
  );
  expect(await offsetOf("room")).toBe(300);

  await reload(HALL);
  await waitFor(async () => (await retainedOn(broker.port, "fieldpost/gw/room/status")).length === 0, "its end");
  configure(sensor("room", "sht4x"), HALL);
  expect((await gateway.command("decommission", "room", "--revive")).code).toBe(0);
  await waitFor(async () => (await offsetOf("room")) === 0, "the next life of the room");
});

test("an offset moves with a new id and is not left for a new device under the old one, nor for another driver", async () => {
  await corrected();
  await reload(sensor("attic", "sht4x", "\n    previous_id: room"), HALL);
  await waitFor(async () => (await offsetOf("attic")) === 300, "the attic");
  await reload(sensor("attic", "sht4x"), sensor("room", "sht4x", "\n    address: 0x45"), HALL);
  await waitFor(async () => (await offsetOf("room")) === 0, "a new room");
  expect(await offsetOf("attic")).toBe(300);
  await kill();
  configure(sensor("attic", "bme280", "\n    address: 0x77"), sensor("room", "sht4x"), HALL);
  await gateway.run();
  await waitFor(async () => (await offsetOf("attic")) === 0, "the attic's other driver");
  expect(gateway.err()).toContain("a device has another driver");
});
