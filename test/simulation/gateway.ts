import { Board } from "../../src/core/board.ts";
import type { Clock } from "../../src/core/clock.ts";
import type { Log } from "../../src/core/log.ts";
import type { Random } from "../../src/core/random.ts";
import { topicsOf } from "../../src/core/topics.ts";
import { type FilesDriver, filesDriver } from "../../src/drivers/driver.ts";
import type { Hardware } from "../../src/hardware/hardware.ts";
import { Fleet } from "../../src/sampling/fleet.ts";
import { runTogether } from "../../src/service/run-together.ts";
import { keepTime } from "../../src/service/timekeeper.ts";
import type { StartWorker } from "../../src/store/database/store-client.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { StoreOptions } from "../../src/store/options.ts";
import type { Store } from "../../src/store/store.ts";
import { uplinkDefaults } from "../../src/uplink/options.ts";
import type { Connect } from "../../src/uplink/state.ts";
import { createUplink, type Uplink } from "../../src/uplink/uplink.ts";
import { identify } from "../../src/wiring/identity.ts";
import { Roster, type RosterDevice } from "../../src/wiring/roster.ts";

export const GATEWAY_ID = "sim";
export const topics = topicsOf("fieldpost", GATEWAY_ID);

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };

/** What a device of the simulation gives: a number that no other reading has; undefined while it gives nothing. */
export type NextNumber = () => number | undefined;

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly startWorker: StartWorker;
  readonly connect: Connect;
  readonly store: StoreOptions;
  readonly holdEstimatedMs: number;
  readonly nextNumber: NextNumber;
  /** Stands between the sampler and the store, to see what is taken. */
  accepting(store: Store): Store;
  /** Stands between the store and the uplink; changes nothing, but for what the simulation has to notice. */
  delivering(store: Store): Store;
}

/** One run of the gateway's stations, from its start to its end: `agent.ts` without the machine. */
export interface Life {
  readonly store: Store;
  readonly board: Board;
  readonly uplink: Uplink;
  readonly ended: Promise<void>;
  apply(devices: readonly DevicePlan[]): Promise<void>;
  stop(): void;
}

export interface DevicePlan {
  readonly id: string;
  readonly intervalMs: number;
}

export async function startGateway(world: World, devices: readonly DevicePlan[]): Promise<Life> {
  const { clock, random } = world;
  const store = await openStore(world.store, { clock, log: quiet, startWorker: world.startWorker });
  const host = { host: "sim", kernel: "6.6", suffix: "0000" };
  const gateway = identify(store, { id: GATEWAY_ID }, { host, version: "0" }, "external");
  const board = new Board();
  const uplink = createUplink(
    {
      ...uplinkDefaults,
      urls: ["mqtt://broker"],
      clientId: GATEWAY_ID,
      topics,
      window: 20,
      holdEstimatedMs: world.holdEstimatedMs,
      reconnect: { minMs: 200, maxMs: 5000, stableMs: 10_000 },
    },
    {
      store: world.delivering(store),
      board,
      clock,
      random,
      log: quiet,
      gateway,
      discovery: () => [],
      subscriptions: [],
      connect: world.connect,
    },
  );
  const fleet = new Fleet({ clock, random, log: quiet });
  const driver = counterDriver(world.nextNumber);
  const roster = new Roster({
    board,
    clock,
    controller: { seenMs: () => 0 },
    fleet,
    happened: () => undefined,
    hardware: noHardware,
    log: quiet,
    store: world.accepting(store),
  });
  const apply = (plans: readonly DevicePlan[]) => roster.apply(plans.map((plan) => rosterDevice(plan, driver)));
  await apply(devices);
  const stopper = new AbortController();
  const ended = runTogether(stopper.signal, [
    (signal) => uplink.run(signal),
    (signal) => fleet.run(signal),
    (signal) => keepTime(store, clock, quiet, signal),
  ]).finally(() => store[Symbol.asyncDispose]());
  return { store, board, uplink, ended, apply, stop: () => stopper.abort() };
}

function counterDriver(nextNumber: NextNumber): FilesDriver {
  return filesDriver({
    name: "counter",
    title: "What the simulation samples",
    options: {},
    channels: { n: { quantity: "count" } },
    timing: { minIntervalMs: 100, expectedMs: 10 },
    open: async () => ({
      async read() {
        const n = nextNumber();
        return { values: n === undefined ? {} : { n } };
      },
    }),
  });
}

function rosterDevice({ id, intervalMs }: DevicePlan, driver: FilesDriver): RosterDevice {
  const qos = { state: 1, readings: 1 } as const;
  return {
    id,
    name: id,
    driver,
    bus: "none",
    options: {},
    intervalMs,
    damagedPercent: 10,
    enabled: true,
    qos,
    channels: {},
    computed: {},
  };
}

const noHardware: Hardware = {
  files: {
    read: () => Promise.reject(new Error("there are no files")),
    write: () => Promise.reject(new Error("there are no files")),
    list: async () => [],
    resolve: async (path) => path,
    space: async () => ({ totalBytes: 0, freeBytes: 0 }),
  },
  i2c: () => Promise.reject(new Error("there is no bus")),
  expander: () => Promise.reject(new Error("there is no expander")),
  pwm: () => Promise.reject(new Error("there is no PWM")),
  gpio: () => Promise.reject(new Error("there are no pins")),
  async [Symbol.asyncDispose]() {},
};

/** The same, but for these of its methods. */
export function withMethods<T extends object>(whole: T, instead: Partial<T>): T {
  return new Proxy(whole, {
    get(target, key) {
      const value = Reflect.get(key in instead ? instead : target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
