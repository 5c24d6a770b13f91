import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/core/clock.ts";
import { isGatewayError } from "../../src/core/errors.ts";
import type { Store } from "../../src/store/store.ts";
import type { Consumer } from "./consumer.ts";
import { Disk } from "./disk.ts";
import { type DevicePlan, type Life, startGateway, withMethods } from "./gateway.ts";
import { type Network, simulatedConnect } from "./link.ts";
import { MachineClock } from "./machine-clock.ts";
import type { Mutation } from "./mutation.ts";
import type { Schedule } from "./schedule.ts";
import { DiskPromise } from "./unwell.ts";
import { simulatedWorker } from "./worker.ts";

const STARTED_WALL_MS = Date.parse("2026-06-01T12:00:00Z");
const CLOCK_WRONG_BY_MS = -3_600_000;
/** How often the timekeeper looks at the clock. */
const LOOK_EACH_MS = 10_000;
const STAGING_FILE = "staging.log";
const START_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 60_000;

type Process = Clock & { kill(): void };

/** The machine: its clock, its card, the memory that outlives a process, and the process that runs on it. */
export class SimulatedPi implements Disposable {
  readonly clock: MachineClock;
  devices: readonly DevicePlan[];
  sampling = true;
  #life: Life | undefined;
  readonly #schedule: Schedule;
  readonly #network: Network;
  readonly #consumer: Consumer;
  readonly #mutation: Mutation;
  readonly #disk = new Disk();
  readonly #promise: DiskPromise;
  readonly #memory = mkdtempSync("/dev/shm/fieldpost-simulation-");
  #memories = 0;
  #diskDelayMs = 0;
  #lastNumber = 0;
  /** Of the life that is up. */
  #epoch: number | undefined;
  #process: Process | undefined;

  constructor(schedule: Schedule, network: Network, consumer: Consumer, mutation: Mutation) {
    this.#schedule = schedule;
    this.#network = network;
    this.#consumer = consumer;
    this.#mutation = mutation;
    this.devices = schedule.devices;
    const isWrong = network.chance.happens(0.7);
    const sync = schedule.hasTimeSource ? (isWrong ? "unsynced" : "synced") : "none";
    this.clock = new MachineClock(network.time, STARTED_WALL_MS, isWrong ? CLOCK_WRONG_BY_MS : 0, sync);
    this.#disk.lies = mutation.diskLies === true;
    this.#promise = new DiskPromise(schedule.commitWindowMs);
  }

  /** The process that is up; undefined while none is. */
  get life(): Life | undefined {
    return this.#life;
  }

  /** Of the life that is up, or was last. */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  /** Takes note of an epoch that has changed its number. */
  followEpoch(): void {
    const epoch = this.#life?.store.epoch;
    if (epoch === undefined || epoch === this.#epoch) return;
    if (this.#epoch !== undefined) this.#consumer.renumbered(this.#epoch, epoch);
    this.#epoch = epoch;
  }

  breakDisk(fault: NonNullable<Disk["fault"]>): void {
    this.#disk.fault = fault;
    this.#promise.refuses(this.#network.time.nowMs);
  }

  slowDisk(delayMs: number): void {
    this.#diskDelayMs = delayMs;
    this.#promise.takes(delayMs);
  }

  mendDisk(): void {
    this.#disk.fault = undefined;
    this.#diskDelayMs = 0;
    this.#promise.recovers(this.#network.time.nowMs);
  }

  async start(): Promise<void> {
    const process = this.clock.ofProcess();
    this.#process = process;
    const { chance } = this.#network;
    const delayMs = () => (this.#diskDelayMs > 0 ? chance.between(0, this.#diskDelayMs / 10) * 10 : 0);
    const isDead = () => this.#process !== process;
    const { loaded, link, store: delivering } = this.#mutation;
    const pace = { beforeMs: delayMs, afterMs: delayMs };
    const starting = startGateway(
      {
        clock: process,
        random: chance.random,
        startWorker: simulatedWorker(this.#disk, process, pace, loaded),
        connect: simulatedConnect(this.#network, isDead, link),
        store: { path: "/sim", stagingPath: this.#stagingPath(), ...this.#schedule },
        holdEstimatedMs: this.#schedule.holdEstimatedMs,
        nextNumber: () => (this.sampling && !isDead() ? ++this.#lastNumber : undefined),
        accepting: (store) => this.#watched(store),
        delivering: (store) => delivering?.(store) ?? store,
      },
      this.devices,
    );
    const started = starting.then(
      (life) => this.#began(life, process),
      (error: unknown) => this.#refusedToStart(error, process),
    );
    await this.#within("a start", started, START_WITHIN_MS);
  }

  async apply(devices: readonly DevicePlan[]): Promise<void> {
    this.devices = devices;
    if (this.#life) await this.#within("a reload", this.#life.apply(devices), STOP_WITHIN_MS);
  }

  /** As systemd does it. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.stop();
    await this.#within("a stop", life.ended, STOP_WITHIN_MS);
    this.#life = undefined;
  }

  /** What the process left in memory goes on in another place: what is left of the dead one can do no harm. */
  kill(): void {
    this.#endProcess();
    const before = join(this.#stagingPath(), STAGING_FILE);
    this.#memories += 1;
    const isKept = existsSync(before) && !this.#mutation.losesStaging;
    if (isKept) copyFileSync(before, join(this.#stagingPath(), STAGING_FILE));
  }

  powerCut(offMs: number, keepsAll: boolean): void {
    this.#endProcess();
    this.#memories += 1;
    const safeUntilMs = this.#promise.safeUntilMs(this.#network.time.nowMs);
    const { syncedMs = 0, bootedMs } = this.clock;
    this.#consumer.powerCut(safeUntilMs);
    if (syncedMs + LOOK_EACH_MS > safeUntilMs) this.#consumer.losesDatesSince(bootedMs);
    this.#disk.powerCut(keepsAll);
    this.#consumer.forgotten((epoch) => this.#disk.knowsEpoch(epoch));
    this.mendDisk();
    this.clock.reboot(offMs, this.#schedule.hasTimeSource);
  }

  [Symbol.dispose](): void {
    this.#process?.kill();
    closeFilesBelow(this.#memory);
    rmSync(this.#memory, { recursive: true, force: true });
  }

  #began(life: Life, process: Process): void {
    this.#life = life;
    this.#epoch = life.store.epoch;
    life.ended.catch((error: unknown) => {
      if (this.#process === process) this.#consumer.violated(`the gateway ended: ${stackOf(error)}`);
    });
  }

  /** A disk that takes nothing may keep it from starting; systemd tries again. */
  #refusedToStart(error: unknown, process: Process): void {
    if (!this.#disk.fault || !isGatewayError(error, "STORE_IO", "STORE_FULL")) throw error;
    process.kill();
    this.#process = undefined;
  }

  #watched(store: Store): Store {
    return withMethods(store, {
      accept: (record) => {
        this.followEpoch();
        const stored = store.accept(record);
        if (stored) this.#consumer.taken(stored, this.clock.trueMs, this.#network.time.nowMs);
        return stored;
      },
    });
  }

  #endProcess(): void {
    this.#process?.kill();
    this.#process = undefined;
    this.#life = undefined;
    const { links, chance } = this.#network;
    for (const link of links) link.break(chance.happens(0.5));
  }

  async #within(what: string, work: Promise<unknown>, ms: number): Promise<void> {
    let done = false;
    const ended = work.catch((error: unknown) => this.#consumer.violated(`${what} failed: ${stackOf(error)}`));
    void ended.then(() => {
      done = true;
    });
    const isInTime = await this.#network.time.passUntil(() => done, ms, 50);
    if (!isInTime) this.#consumer.violated(`${what} took longer than ${ms} ms`);
  }

  #stagingPath(): string {
    const path = join(this.#memory, String(this.#memories));
    mkdirSync(path, { recursive: true });
    return path;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A process that is killed in the simulation cannot close its files, as the kernel would. */
function closeFilesBelow(directory: string): void {
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)) closeSync(Number(fd));
    } catch {
      // Readdir's own one is gone by now.
    }
  }
}
