import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { linuxClock } from "../../src/hardware/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { decommissionAtRest } from "../../src/wiring/lifecycle/decommission-at-rest.ts";
import { storeOptions } from "../../src/wiring/options.ts";
import { fakeLog } from "../fakes/log.ts";
import { collect, freePort, retainedOn, startMosquitto } from "../support/mosquitto.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fieldpost-at-rest-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const TOPIC = "fieldpost/gw/pump/status";
const configured = (urls: readonly string[]) =>
  parseConfig(
    `gateway: { id: gw }
store: { path: ${join(directory, "store")} }
mqtt: { url: [${urls.join(", ")}] }
devices:
  - { id: pump, driver: digital-output, pin: 22, at_stop: hold }
  - { id: lamp, driver: digital-output, pin: 23, bus: sim }
  - { id: fan, driver: digital-output, pin: 24, enabled: false }
`,
    { file: "fieldpost.yaml", drivers, env: {}, secrets: new Map(), secretsFrom: "", credentials: new Map() },
  ).config;

/** What a service left that ran with it, with a topic in the ledger for each of these brokers. */
async function left(urls: readonly string[]) {
  const config = configured(urls);
  const clock = linuxClock();
  await using store = await openStore(storeOptions(config, join(directory, "run")), { clock, log: fakeLog() });
  for (const url of urls) {
    await store.ledger.add({ topic: TOPIC, device: "pump", broker: url.replace("mqtt://", "") });
  }
  return { config, clock };
}

async function end(id: string, { config, clock }: Awaited<ReturnType<typeof left>>, dryRun = false) {
  const safe: string[] = [];
  const makeSafe = async (outputs: readonly { readonly id: string }[]) =>
    void safe.push(...outputs.map((output) => output.id));
  const signal = new AbortController().signal;
  const deps = { clock, random: Math.random, uid: process.getuid?.() ?? 0, signal, makeSafe };
  return { safe, result: await decommissionAtRest(config, id, { dryRun, discard: false }, deps) };
}

test("an output that a service left on hold is put into its safe state, once, and not in a dry run", async () => {
  const gateway = await left([`mqtt://127.0.0.1:${await freePort()}`]);
  expect((await end("pump", gateway, true)).safe).toEqual([]);
  const { safe, result } = await end("pump", gateway);
  expect(safe).toEqual(["pump"]);
  expect(result).toMatchObject({ outcome: "queued", left: [TOPIC] });
  expect((await end("lamp", gateway)).safe).toEqual([]);
  expect((await end("gateway", gateway)).safe).toEqual(["pump"]);
});

test("of several brokers it is the one that answers whose topics are cleared", async () => {
  await using broker = await startMosquitto();
  await using other = await collect(broker.port, "nothing");
  await other.publish(TOPIC, "offline", { retain: true });
  const away = `mqtt://127.0.0.1:${await freePort()}`;
  const { result } = await end("pump", await left([away, broker.url]));
  expect(result).toMatchObject({ outcome: "done", topics: [TOPIC], left: [] });
  expect(result.elsewhere).toEqual([{ topic: TOPIC, device: "pump", broker: away.replace("mqtt://", "") }]);
  expect(await retainedOn(broker.port)).toEqual([]);
});
