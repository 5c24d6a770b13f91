/**
 * What sampling costs and how exactly it keeps its schedule: 200 channels at 1 Hz on four simulated I2C buses, from the
 * schedule through the drivers and the processing into the durable store, without a broker.   scripts/bench sampling [seconds]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BenchClock, clockOf, openStore, quiet } from "./store-parts.js";

const SECONDS = Number(process.argv[2] ?? 60);
const WARM_UP_MS = 10_000;
const PERIOD_MS = 1000;
const BUSES = ["i2c-1", "i2c-3", "i2c-4", "i2c-5"];

/** 50 channels a bus, at addresses that the chips can have beside each other; each ADS1115 converts for 35 ms. */
const onEachBus = [
  ...[0x76, 0x77].map((address) => ({ driver: "bme280", address, channels: 3 })),
  ...[0x44, 0x45, 0x46].map((address) => ({ driver: "sht4x", address, channels: 2 })),
  ...[0x48, 0x49, 0x4a, 0x4b].map((address) => ({ driver: "ads1115", address, channels: 4 })),
  ...[0x40, 0x41, 0x42, 0x43].map((address) => ({ driver: "ina219", address, channels: 4 })),
  ...[0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d].map((address) => ({ driver: "mcp9808", address, channels: 1 })),
];
const CHANNELS = BUSES.length * onEachBus.reduce((sum, { channels }) => sum + channels, 0);

interface Sensor {
  read(signal: AbortSignal): Promise<object>;
}
interface Driver {
  readonly name: string;
  open(...parts: unknown[]): Promise<Sensor>;
}
interface Device {
  readonly id: string;
  readonly driver: Driver;
  readonly bus: string;
  readonly address: number;
}
interface Running {
  run(signal: AbortSignal): Promise<void>;
}

const load = async <T>(file: string): Promise<T> => (await import(new URL(`../../${file}`, import.meta.url).href)) as T;
const { drivers } = await load<{ drivers: readonly Driver[] }>("drivers/registry.js");
const { parseConfig } = await load<{
  parseConfig(text: string, options: object): { config: { devices: readonly Device[] } };
}>("config/parse.js");
const { simulatedHardware } = await load<{ simulatedHardware(options: object): object }>(
  "hardware/simulated/hardware.js",
);
const { Fleet } = await load<{ Fleet: new (deps: object) => Running }>("sampling/fleet.js");
const { Board } = await load<{
  Board: new () => { all(): readonly { readonly health: { readonly state: string; readonly errors: number } }[] };
}>("core/board.js");
const { Roster } = await load<{ Roster: new (deps: object) => { apply(devices: readonly Device[]): Promise<void> } }>(
  "wiring/roster.js",
);

/** When each device was read. */
class Schedule {
  readonly #clock: BenchClock;
  readonly #startsMs = new Map<string, number[]>();
  /** From asking for a reading to having it. */
  readonly tookMs: number[] = [];

  constructor(clock: BenchClock) {
    this.#clock = clock;
  }

  /** The device, with its reads written down. */
  watched(device: Device): Device {
    const { driver, id } = device;
    const starts: number[] = [];
    this.#startsMs.set(id, starts);
    const open = async (...parts: unknown[]): Promise<Sensor> => {
      const sensor = await driver.open(...parts);
      const read = async (signal: AbortSignal): Promise<object> => {
        const startMs = this.#clock.monoMs();
        starts.push(startMs);
        const sample = await sensor.read(signal);
        this.tookMs.push(this.#clock.monoMs() - startMs);
        return sample;
      };
      return { ...sensor, read };
    };
    return { ...device, driver: { ...driver, open } };
  }

  /** How far reads began from the slots of a schedule that began with the device's first, and how many slots had none. */
  deviations(fromMs: number, untilMs: number): { readonly lateMs: number[]; readonly missed: number } {
    const lateMs: number[] = [];
    let missed = 0;
    for (const starts of this.#startsMs.values()) {
      const [originMs = 0] = starts;
      const slots = starts
        .filter((ms) => ms >= fromMs && ms < untilMs)
        .map((ms) => ({ slot: Math.round((ms - originMs) / PERIOD_MS), ms }));
      lateMs.push(...slots.map(({ slot, ms }) => Math.abs(ms - originMs - slot * PERIOD_MS)));
      const [first, last] = [slots.at(0)?.slot ?? 0, slots.at(-1)?.slot ?? -1];
      missed += last - first + 1 - new Set(slots.map(({ slot }) => slot)).size;
    }
    return { lateMs, missed };
  }
}

/** A process that does nothing but wake 20 times a second, and prints how late it was: what this machine does to anybody. */
const YARDSTICK = `
  const late = [];
  const originMs = performance.now();
  const wake = (slot) => setTimeout(() => {
    late.push(performance.now() - originMs - slot * 50);
    wake(Math.floor((performance.now() - originMs) / 50) + 1);
  }, originMs + slot * 50 - performance.now());
  wake(1);
  process.on("SIGTERM", () => { process.stdout.write(JSON.stringify(late)); process.exit(0); });
`;

function startYardstick(): ChildProcess {
  return spawn(process.execPath, ["-e", YARDSTICK], { stdio: ["ignore", "pipe", "inherit"] });
}

async function endYardstick(yardstick: ChildProcess): Promise<number[]> {
  let text = "";
  yardstick.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  yardstick.kill("SIGTERM");
  await once(yardstick, "close");
  return JSON.parse(text);
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function configured(): readonly Device[] {
  const lines = BUSES.flatMap((bus, busIndex) =>
    onEachBus.map(
      ({ driver, address }, index) =>
        `  - { id: d${busIndex}_${index}, driver: ${driver}, bus: ${bus}, address: ${address}, interval: 1s }`,
    ),
  );
  const sources = { env: {}, secrets: new Map(), secretsFrom: "", credentials: undefined };
  return parseConfig(`devices:\n${lines.join("\n")}\n`, { file: "bench.yaml", drivers, ...sources }).config.devices;
}

const directory = mkdtempSync(join(tmpdir(), "fieldpost-sampling-"));
const stop = new AbortController();
try {
  const clock = await clockOf();
  const schedule = new Schedule(clock);
  const devices = configured();
  const placements = devices.map(({ id, driver, bus, address }) => ({ id, driver: driver.name, bus, address }));
  const hardware = simulatedHardware({ clock, placements });
  await using store = await openStore(join(directory, "store"), join(directory, "staging"), {}, clock);
  const board = new Board();
  const fleet = new Fleet({ clock, random: Math.random, log: quiet });
  const roster = new Roster({ board, clock, controller: { seenMs: () => 0 }, fleet, hardware, log: quiet, store });
  await roster.apply(devices.map((device) => schedule.watched(device)));
  const running = fleet.run(stop.signal);

  await sleep(WARM_UP_MS);
  const yardstick = startYardstick();
  const [cpuBefore, headBefore, fromMs] = [process.cpuUsage(), store.outbox.head, clock.monoMs()];
  await sleep(SECONDS * 1000);
  const [cpu, readings, untilMs] = [process.cpuUsage(cpuBefore), store.outbox.head - headBefore, clock.monoMs()];

  const machineMs = await endYardstick(yardstick);
  stop.abort();
  await running;
  const { lateMs, missed } = schedule.deviations(fromMs, untilMs);
  const cpuShare = (cpu.user + cpu.system) / 1000 / (untilMs - fromMs);
  const ms = (part: number): string => percentile(lateMs, part).toFixed(1);
  const errors = board.all().reduce((sum, { health }) => sum + health.errors, 0);
  process.stdout.write(
    [
      `${CHANNELS} channels of ${devices.length} devices at 1 Hz on ${BUSES.length} buses, ${SECONDS} s`,
      `CPU                    ${(cpuShare * 100).toFixed(1)} % of a core, the simulated chips and the store's worker included (goal: under 5 %)`,
      `off the schedule       p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms, at most ${ms(1)} ms (goal: p99 under 10 ms)`,
      `a bare timer meanwhile p50 ${percentile(machineMs, 0.5).toFixed(1)} ms, p99 ${percentile(machineMs, 0.99).toFixed(1)} ms, in a process of its own`,
      `from slot to value     p50 ${percentile(schedule.tookMs, 0.5).toFixed(0)} ms, p99 ${percentile(schedule.tookMs, 0.99).toFixed(0)} ms: all devices of a bus are due at once and wait for each other`,
      `readings stored        ${readings}; slots missed ${missed}, errors ${errors}`,
      "",
    ].join("\n"),
  );
} finally {
  stop.abort();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
