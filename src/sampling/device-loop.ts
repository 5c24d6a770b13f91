import type { Clock } from "../core/clock.ts";
import type { Channel, DeviceHealth } from "../core/device.ts";
import { GatewayError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import type { Sample } from "../core/reading.ts";
import { channelsOf, type Sensor } from "../drivers/driver.ts";
import { readWithin, withDeadline } from "./attempt.ts";
import { afterFailure, afterSuccess, starting } from "./health.ts";
import { nextDueMs, RETRY_PERIOD_MS, reopenDelayMs } from "./schedule.ts";
import { validate } from "./validate.ts";

/** A device as the sampler needs it. */
export interface SampledDevice {
  readonly id: string;
  readonly intervalMs: number;
  /** A failing device is offline once its newest good value is older than this. */
  readonly offlineAfterMs: number;
  /** What one read may take at most, as the driver says. */
  readonly expectedMs: number;
  /** The channels that the driver's table promises; opening may find others. */
  readonly channels: readonly Channel[];
  open(): Promise<Sensor>;
}

/** Where a device's samples and news go. */
export interface DeviceSink {
  opened(found: { channels: readonly Channel[]; model?: string; serial?: string }): void;
  sample(sample: Sample, channels: readonly Channel[]): void;
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

/** Samples one device until the signal: opens it, reads it slot by slot, opens it again when it broke. Never rejects. */
export async function runDevice(
  device: SampledDevice,
  sink: DeviceSink,
  deps: SamplerDeps,
  signal: AbortSignal,
): Promise<void> {
  const loop = new DeviceLoop(device, sink, deps, signal);
  try {
    await loop.run();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

class DeviceLoop {
  readonly #device: SampledDevice;
  readonly #sink: DeviceSink;
  readonly #deps: SamplerDeps;
  readonly #signal: AbortSignal;
  #health: DeviceHealth;
  #lastGoodMonoMs: number | undefined;
  /** The schedule's origin: one for the device's whole life, so that reopening does not shift its slots. */
  #originMs: number | undefined;
  #reading = false;

  constructor(device: SampledDevice, sink: DeviceSink, deps: SamplerDeps, signal: AbortSignal) {
    this.#device = device;
    this.#sink = sink;
    this.#deps = deps;
    this.#signal = signal;
    this.#health = starting(deps.clock.monoMs());
  }

  async run(): Promise<void> {
    for (let attempt = 0; !this.#signal.aborted; attempt++) {
      const sensor = await this.#open();
      if (sensor) {
        try {
          if (await this.#sampleUntilBroken(sensor)) attempt = 0;
        } finally {
          await this.#close(sensor);
        }
      }
      await this.#deps.clock.sleep(reopenDelayMs(attempt, this.#deps.random), this.#signal);
    }
  }

  async #open(): Promise<Sensor | undefined> {
    const { clock } = this.#deps;
    let late: Promise<Sensor> | undefined;
    try {
      const opening = async () => {
        late = this.#device.open();
        return await late;
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
    sensor.watch?.((sample) => this.#take(sample, channels));
    let worked = false;
    for (let failures = 0; failures < FAILURES_BEFORE_REOPEN; ) {
      this.#originMs ??= clock.monoMs();
      const ok = await this.#slot(sensor, channels);
      worked ||= ok;
      failures = ok ? 0 : failures + 1;
      await clock.sleep(this.#pauseMs(ok), this.#signal);
    }
    return worked;
  }

  async #slot(sensor: Sensor, channels: readonly Channel[]): Promise<boolean> {
    const deadlineMs = Math.max(this.#device.expectedMs * 4, 2_000);
    const read = (signal: AbortSignal) => this.#readAlone(sensor, signal);
    try {
      return this.#take(await readWithin(read, deadlineMs, this.#deps, this.#signal), channels);
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#failed(error, { opening: false });
      return false;
    }
  }

  /** A read that was given up may still hang in the kernel: no second one is piled on top of it. */
  async #readAlone(sensor: Sensor, signal: AbortSignal): Promise<Sample> {
    if (this.#reading) throw new GatewayError("DEADLINE", "the read before this one has still not ended");
    this.#reading = true;
    try {
      return await sensor.read(signal);
    } finally {
      this.#reading = false;
    }
  }

  /** After a failure the next look comes sooner than a long interval would have it. */
  #pauseMs(ok: boolean): number {
    const nowMs = this.#deps.clock.monoMs();
    const dueMs = nextDueMs(this.#originMs ?? nowMs, this.#device.intervalMs, nowMs) - nowMs;
    return ok ? dueMs : Math.min(dueMs, RETRY_PERIOD_MS);
  }

  #take(raw: Sample, channels: readonly Channel[]): boolean {
    const { sample, fault } = validate(raw, channels);
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
    const failure = {
      monoMs: this.#deps.clock.monoMs(),
      opening,
      lastGoodMonoMs: this.#lastGoodMonoMs,
      offlineAfterMs: this.#device.offlineAfterMs,
    };
    this.#changed(afterFailure(this.#health, error, failure));
  }

  #changed(health: DeviceHealth): void {
    const before = this.#health;
    this.#health = health;
    if (before.state !== health.state) this.#logTransition(before, health);
    this.#sink.health(health);
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
