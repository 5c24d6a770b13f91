import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import type { Config } from "../../src/config/schema/config.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { Reloader } from "../../src/wiring/reload.ts";
import { testDrivers } from "../config/support.ts";
import { fakeLog } from "../fakes/log.ts";

const CLIMATE = "  - { id: climate, driver: bme280, bus: sim }\n";
const SOIL = "  - { id: soil, driver: ds18b20, bus: sim }\n";

function config(devices = CLIMATE, password = "one"): Config {
  const text = `mqtt: { url: mqtt://127.0.0.1, username: u, password: ${password} }\ndevices:\n${devices}`;
  return parseConfig(text, {
    file: "fieldpost.yaml",
    drivers: testDrivers,
    env: {},
    secrets: new Map(),
    secretsFrom: "",
    credentials: new Map(),
  }).config;
}

/** A reloader of a gateway that runs with one device; `files` are what it finds, one a reload. */
function bench(...files: Config[]) {
  const applied: string[][] = [];
  const changedTo: string[][] = [];
  const startedAgain: Config[] = [];
  const world = {
    load: async () => files.shift() ?? config(),
    apply: async (_devices: Config["devices"]) => {},
    applyFiles: async () => {},
  };
  const reloader = new Reloader(config(), {
    log: fakeLog(),
    load: () => world.load(),
    applyFiles: () => world.applyFiles(),
    async applyDevices(devices) {
      await world.apply(devices);
      applied.push(devices.map(({ id }) => id));
    },
    devicesChanged: () => void changedTo.push(reloader.current.devices.map(({ id }) => id)),
    startAgain: (next) => void startedAgain.push(next),
  });
  return { reloader, world, applied, changedTo, startedAgain };
}

describe("a reload", () => {
  test("that finds other devices changes these alone", async () => {
    const { reloader, applied, changedTo, startedAgain } = bench(config(CLIMATE + SOIL));
    await reloader.reload();
    expect(applied).toEqual([["climate", "soil"]]);
    expect(changedTo).toEqual(applied);
    expect(startedAgain).toEqual([]);
  });

  test("that finds a wrong file of passwords or access rules changes nothing", async () => {
    const { reloader, world, applied } = bench(config(CLIMATE + SOIL));
    world.applyFiles = async () => {
      throw new GatewayError("CONFIG_INVALID", "passwords:3: expected NAME:HASH");
    };
    await expect(reloader.reload()).rejects.toThrow("passwords:3");
    expect(applied).toEqual([]);
  });

  test("that finds nothing but another password starts again", async () => {
    const changed = config(CLIMATE, "two");
    const { reloader, applied, startedAgain } = bench(changed);
    await reloader.reload();
    expect(startedAgain).toEqual([changed]);
    expect(applied).toEqual([]);
  });

  test("that fails is not taken for the configuration that runs", async () => {
    const { reloader, world, applied } = bench(config(CLIMATE + SOIL), config(CLIMATE + SOIL));
    world.apply = async () => {
      throw new GatewayError("BUS_IO", "the bus hangs");
    };
    await expect(reloader.reload()).rejects.toMatchObject({ code: "BUS_IO" });
    world.apply = async () => {};
    await reloader.reload();
    expect(applied).toEqual([["climate", "soil"]]);
  });

  test("that comes while the gateway starts again brings all that it found to the next start", async () => {
    const both = config(CLIMATE + SOIL, "two");
    const { reloader, applied, startedAgain } = bench(config(CLIMATE, "two"), both);
    await Promise.all([reloader.reload(), reloader.reload()]);
    expect(startedAgain.at(-1)).toBe(both);
    expect(applied).toEqual([]);
  });

  test("that is under way when the gateway stops is waited for", async () => {
    const { reloader, world, startedAgain } = bench();
    const changed = config(CLIMATE, "two");
    let read = (_: Config) => {};
    world.load = () => new Promise<Config>((resolve) => (read = resolve));
    const stop = new AbortController();
    let ask = () => {};
    const running = reloader.run((listener) => {
      ask = listener;
      return () => {};
    }, stop.signal);
    ask();
    stop.abort();
    await new Promise(setImmediate);
    read(changed);
    await running;
    expect(startedAgain).toEqual([changed]);
  });
});
