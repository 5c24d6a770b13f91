import type { Clock } from "../core/clock.ts";
import type { Command } from "../core/command.ts";
import type { Channel, DeviceHealth, PartialFault } from "../core/device.ts";
import { GatewayError, isGatewayError, messageOf } from "../core/errors.ts";
import type { SensorEvent } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { Sample } from "../core/reading.ts";
import { channelsOf, type Sensor } from "../drivers/driver.ts";
import { readWithin, withDeadline } from "./attempt.ts";
import { afterFailure, afterSuccess, starting } from "./health.ts";
import { nextDueMs, RETRY_PERIOD_MS, reopenDelayMs } from "./schedule.ts";
import { type Limits, Suspicions } from "./suspicions.ts";
import { type Validated, validate } from "./validate.ts";

/** A device as the sampler needs it. */
export interface SampledDevice {
  readonly id: string;
  readonly intervalMs: number;
  /** A failing device is offline once its newest good value is older than this. */
  readonly offlineAfterMs: number;
  /** What one read may take at most, its repetitions included. */
  readonly deadlineMs: number;
  readonly limits: Limits;
  /** The channels that the driver's table promises; opening may find others. */
  readonly channels: readonly Channel[];
  open(): Promise<Sensor>;
}

/** Where a device's samples and news go. */
export interface DeviceSink {
  opened(found: { channels: readonly Channel[]; model?: string; serial?: string }): void;
  sample(sample: Sample, channels: readonly Channel[]): void;
  /** `channels` are the driver's own, as for `sample`. */
  event(event: SensorEvent, channels: readonly Channel[]): void;
  health(health: DeviceHealth): void;
}

export interface SamplerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** So many failed slots in a row, and the device is closed, opened again and identified anew. */
const FAILURES_BEFORE_REOPEN = 3;
const OPEN_DEADLINE_MS = 15_000;

export interface RunningDevice {
  /** Resolves after the signal, when the device is closed. */
  readonly ended: Promise<void>;
  /** Rejects with the GatewayError that kept it from being carried out. */
  command(channel: string, command: Command): Promise<void>;
  /** Nothing is held against it any more, and where it is not well it is opened again at once. */
  clearFault(): void;
}

/** Samples one device until the signal: opens it, reads it slot by slot, opens it again when it broke. */
export function runDevice(
  device: SampledDevice,
  sink: DeviceSink,
  deps: SamplerDeps,
  signal: AbortSignal,
): RunningDevice {
  const loop = new DeviceLoop(device, sink, deps, signal);
  const ended = loop.run().catch((error) => {
    if (!signal.aborted) throw error;
  });
  return { ended, command: (channel, command) => loop.command(channel, command), clearFault: () => loop.clearFault() };
}

class DeviceLoop {
  readonly #device: SampledDevice;
  readonly #sink: DeviceSink;
  readonly #deps: SamplerDeps;
  readonly #signal: AbortSignal;
  readonly #suspicions: Suspicions;
  #health: DeviceHealth;
  #lastGoodMonoMs: number | undefined;
  /** The schedule's origin: one for the device's whole life, so that reopening does not shift its slots. */
  #originMs: number | undefined;
  #sensor: Sensor | undefined;
  #busy = false;
  /** Failed openings in a row. */
  #failedOpenings = 0;
  /** Close it, if it is open, and open it without a pause. */
  #isDue = false;
  #sleeper = new AbortController();
  #reportedBug: string | undefined;

  constructor(device: SampledDevice, sink: DeviceSink, deps: SamplerDeps, signal: AbortSignal) {
    this.#device = device;
    this.#sink = sink;
    this.#deps = deps;
    this.#signal = signal;
    this.#suspicions = new Suspicions(device.limits);
    this.#health = starting(deps.clock.monoMs());
    signal.addEventListener("abort", () => this.#sleeper.abort(), { once: true });
  }

  async run(): Promise<void> {
    for (; !this.#signal.aborted; this.#failedOpenings++) {
      this.#isDue = false;
      const sensor = await this.#open();
      if (sensor) {
        // What was asked for meanwhile this opening has done.
        this.#isDue = false;
        this.#sensor = sensor;
        try {
          if (await this.#sampleUntilBroken(sensor)) this.#failedOpenings = 0;
        } finally {
          this.#sensor = undefined;
          await this.#close(sensor);
        }
      }
      await this.#pause(reopenDelayMs(this.#failedOpenings, this.#deps.random));
    }
  }

  clearFault(): void {
    if (this.#signal.aborted) return;
    this.#suspicions.forget();
    // Of a device that is starting nothing was told yet.
    if (this.#health.state !== "starting") this.#changed(this.#health);
    if (this.#health.state === "ok") return;
    this.#failedOpenings = 0;
    this.#isDue = true;
    this.#sleeper.abort();
    this.#sleeper = new AbortController();
  }

  /** Until the time is over, or the device is to be opened at once. */
  async #pause(ms: number): Promise<void> {
    if (!this.#isDue) await this.#deps.clock.sleep(ms, this.#sleeper.signal).catch(() => undefined);
    this.#signal.throwIfAborted();
  }

  async command(channel: string, command: Command): Promise<void> {
    const sensor = this.#sensor;
    if (!sensor?.command) throw new GatewayError("COMMAND_REFUSED", "the device is not open: see its status");
    try {
      await sensor.command(channel, command);
    } catch (error) {
      if (isGatewayError(error)) throw error;
      this.#reportBug(error);
      throw new GatewayError("COMMAND_REFUSED", "its driver has a bug: see the log", { cause: error });
    }
  }

  async #open(): Promise<Sensor | undefined> {
    const { clock } = this.#deps;
    let late: Promise<Sensor> | undefined;
    try {
      const opening = () => {
        late = this.#alone(() => this.#device.open());
        return late;
      };
      const sensor = await withDeadline(opening, OPEN_DEADLINE_MS, clock, this.#signal);
      const channels = sensor.channels ? channelsOf(sensor.channels) : this.#device.channels;
      const { model, serial } = sensor;
      this.#sink.opened({ channels, ...(model && { model }), ...(serial && { serial }) });
      return sensor;
    } catch (error) {
      late?.then((sensor) => sensor.close?.()).catch(() => undefined);
      this.#signal.throwIfAborted();
      this.#failed(error, { opening: true });
      return undefined;
    }
  }

  /** Resolves once the device needs opening again; true if it gave a good value in between. */
  async #sampleUntilBroken(sensor: Sensor): Promise<boolean> {
    const { clock } = this.#deps;
    const channels = sensor.channels ? channelsOf(sensor.channels) : this.#device.channels;
    if (!this.#watch(sensor, channels)) return false;
    let worked = false;
    for (let failures = 0; failures < FAILURES_BEFORE_REOPEN && !this.#isDue; ) {
      this.#originMs ??= clock.monoMs();
      const ok = await this.#slot(sensor, channels);
      worked ||= ok;
      failures = ok ? 0 : failures + 1;
      await this.#pause(this.#pauseMs(ok));
    }
    return worked;
  }

  /** False where the device cannot be watched, which is a fault of its opening. */
  #watch(sensor: Sensor, channels: readonly Channel[]): boolean {
    try {
      sensor.watch?.((sample) => this.#reported(sample, channels));
      sensor.onEvent?.((event) => {
        if (!this.#signal.aborted) this.#sink.event(event, channels);
      });
      return true;
    } catch (error) {
      this.#failed(error, { opening: true });
      return false;
    }
  }

  #reported(sample: Sample, channels: readonly Channel[]): void {
    if (this.#signal.aborted) return;
    let validated: Validated;
    try {
      validated = validate(sample, channels);
    } catch (error) {
      this.#failed(error, { opening: false });
      return;
    }
    this.#take(validated, channels);
  }

  async #slot(sensor: Sensor, channels: readonly Channel[]): Promise<boolean> {
    const { deadlineMs } = this.#device;
    const read = (signal: AbortSignal) => this.#attempt(sensor, signal);
    let validated: Validated;
    try {
      validated = validate(await readWithin(read, deadlineMs, this.#deps, this.#signal), channels);
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#failed(error, { opening: false });
      return false;
    }
    return this.#take(validated, channels);
  }

  async #attempt(sensor: Sensor, signal: AbortSignal): Promise<Sample> {
    try {
      const sample = await this.#alone(() => sensor.read(signal));
      this.#suspicions.attempted();
      return sample;
    } catch (error) {
      this.#suspicions.attempted(error);
      throw error;
    }
  }

  /**
   * What was given up may still hang in the kernel, with a thread of the pool: nothing is piled on top of it, or four
   * tries later no other device could read a file.
   */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new GatewayError("DEADLINE", "the access before this one has still not ended");
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /** After a failure the next look comes sooner than a long interval would have it. */
  #pauseMs(ok: boolean): number {
    const nowMs = this.#deps.clock.monoMs();
    const dueMs = nextDueMs(this.#originMs ?? nowMs, this.#device.intervalMs, nowMs) - nowMs;
    return ok ? dueMs : Math.min(dueMs, RETRY_PERIOD_MS);
  }

  /** Outside of every `try`: what the store throws is no fault of the device. */
  #take(validated: Validated, channels: readonly Channel[]): boolean {
    const { sample, fault } = this.#suspicions.examine(validated, this.#deps.clock.monoMs());
    const hasValues = Object.keys(sample.values).length > 0;
    if (hasValues) {
      this.#lastGoodMonoMs = this.#deps.clock.monoMs();
      this.#sink.sample(sample, channels);
    }
    if (fault) this.#failed(fault, { opening: false });
    else this.#changed(afterSuccess(this.#health, this.#deps.clock.monoMs()));
    return hasValues;
  }

  #failed(error: unknown, { opening }: { opening: boolean }): void {
    if (!isGatewayError(error)) this.#reportBug(error);
    const failure = {
      monoMs: this.#deps.clock.monoMs(),
      opening,
      lastGoodMonoMs: this.#lastGoodMonoMs,
      offlineAfterMs: this.#device.offlineAfterMs,
    };
    this.#changed(afterFailure(this.#health, error, failure));
  }

  /** A bug in one driver must not end twenty sound devices, nor go unseen: its stack, once. */
  #reportBug(error: unknown): void {
    if (this.#reportedBug === messageOf(error)) return;
    this.#reportedBug = messageOf(error);
    const stack = error instanceof Error ? error.stack : undefined;
    this.#deps.log.error("the driver has a bug: please report this", { stack: stack ?? messageOf(error) });
  }

  #changed(state: DeviceHealth): void {
    const before = this.#health;
    // What it is failing for already is not told a second time.
    const found = [...this.#suspicions.faults(), ...(this.#sensor?.faults?.() ?? [])];
    const faults = found.filter(({ code }) => code !== state.code);
    const health = { ...state, faults, withheld: this.#suspicions.withheld() };
    this.#health = health;
    this.#logSuspicions(before.faults ?? [], health.faults);
    if (before.state !== health.state) this.#logTransition(before, health);
    this.#sink.health(health);
  }

  #logSuspicions(before: readonly PartialFault[], now: readonly PartialFault[]): void {
    const known = new Set(before.map(({ message }) => message));
    for (const { code, message } of now) {
      if (!known.has(message)) this.#deps.log.warn("device is doubtful", { code, reason: message });
    }
  }

  #logTransition(before: DeviceHealth, health: DeviceHealth): void {
    const { log } = this.#deps;
    if (health.state === "ok") log.info("device is ok", before.state === "starting" ? {} : { was: before.state });
    else log.warn(`device is ${health.state}`, { code: health.code, reason: health.reason });
  }

  async #close(sensor: Sensor): Promise<void> {
    try {
      await sensor.close?.();
    } catch (error) {
      this.#deps.log.warn("device did not close cleanly", { reason: messageOf(error) });
    }
  }
}
