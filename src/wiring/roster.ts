import { isDeepStrictEqual } from "node:util";
import type { Board } from "../core/board.ts";
import { type Clock, stampNow } from "../core/clock.ts";
import type { Command } from "../core/command.ts";
import { type Channel, type DeviceInfo, GATEWAY } from "../core/device.ts";
import { GatewayError, isGatewayError } from "../core/errors.ts";
import type { DeviceEvent } from "../core/event.ts";
import type { Log } from "../core/log.ts";
import type { Reading } from "../core/reading.ts";
import { configuredChannels, type OutputSurroundings } from "../drivers/driver.ts";
import { Interlocks } from "../drivers/interlock.ts";
import type { Hardware } from "../hardware/hardware.ts";
import type { ChannelsSettings, ComputedChannels } from "../processing/channels.ts";
import type { DeviceSink, SampledDevice } from "../sampling/device-loop.ts";
import type { Fleet } from "../sampling/fleet.ts";
import { starting } from "../sampling/health.ts";
import { readDeadlineMs } from "../sampling/schedule.ts";
import type { Store } from "../store/store.ts";
import { calibrate, offsetChannel } from "./calibration.ts";
import type { Controller } from "./controller.ts";
import { DeviceProcessing, type KeptState } from "./device-processing.ts";
import { driverMemory, noMemory } from "./driver-memory.ts";
import { keptState } from "./kept-state.ts";
import { isSafeAtStop, type LastWill } from "./last-will.ts";
import { type DeviceAddress, openDevice } from "./open-device.ts";

/** A device as the configuration has it. */
export interface RosterDevice extends DeviceAddress {
  readonly name: string;
  readonly area?: string;
  readonly intervalMs: number;
  readonly offlineAfterMs?: number;
  readonly damagedPercent: number;
  readonly enabled: boolean;
  readonly qos: NonNullable<DeviceInfo["qos"]>;
  readonly channels: ChannelsSettings;
  readonly computed: ComputedChannels;
}

export interface RosterDeps {
  readonly board: Board;
  readonly clock: Clock;
  readonly controller: Pick<Controller, "seenMs">;
  readonly fleet: Fleet;
  readonly hardware: Hardware;
  readonly log: Log;
  /** Left out where nobody reads it. */
  readonly lastWill?: Pick<LastWill, "save" | "set">;
  /** A button was pressed, a knob was turned. */
  readonly happened: (event: DeviceEvent) => void;
  readonly store: Pick<Store, "accept" | "getMeta" | "newest" | "setMeta" | "tombstones">;
}

/** Makes the running devices those of the configuration: what a sampler finds goes to the store and onto the board. */
export class Roster {
  readonly #deps: RosterDeps;
  readonly #kept: KeptState;
  readonly #interlocks = new Interlocks();
  readonly #running = new Map<string, RosterDevice>();
  readonly #processing = new Map<string, DeviceProcessing>();

  constructor(deps: RosterDeps) {
    this.#deps = deps;
    this.#kept = keptState(deps.store, deps.clock);
  }

  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** Stops what is gone or changed, starts what is new or changed, and leaves the rest alone. */
  async apply(wanted: readonly RosterDevice[]): Promise<void> {
    const active = new Map(wanted.filter((device) => this.#isActive(device)).map((device) => [device.id, device]));
    for (const [id, running] of [...this.#running]) {
      const [isWanted, safe] = [active.has(id), !active.has(id)];
      if (!isDeepStrictEqual(running, active.get(id))) await this.remove(id, { keepOnBoard: isWanted, safe });
    }
    for (const device of active.values()) if (!this.#running.has(device.id)) this.#start(device);
    this.#deps.lastWill?.save();
  }

  ids(): string[] {
    return [...this.#running.keys()];
  }

  /** Stops a device and, unless it comes back at once, takes it off the board; `safe`: its outputs too, whatever `at_stop` says. */
  async remove(id: string, { keepOnBoard = false, safe = false } = {}): Promise<void> {
    const device = this.#running.get(id);
    await this.#deps.fleet.stop(id);
    if (safe && device) await this.#makeSafe(device);
    this.#running.delete(id);
    this.#processing.delete(id);
    if (!keepOnBoard) this.#deps.board.remove(id);
  }

  /**
   * Nothing is held any more against the device, or against all, and those that are not well are opened at once. Returns
   * those that were at fault. Throws DEVICE_UNKNOWN.
   */
  clearFaults(id: string | undefined): string[] {
    if (id !== undefined && !this.#running.has(id)) throw unknownDevice(id);
    const { board, fleet, log } = this.#deps;
    const asked = this.ids().filter((one) => id === undefined || one === id);
    const faulty = asked.filter((one) => {
      const health = board.get(one)?.health;
      return health !== undefined && (!["ok", "starting"].includes(health.state) || (health.faults ?? []).length > 0);
    });
    for (const one of asked) {
      this.#processing.get(one)?.clearFault();
      fleet.clearFault(one);
    }
    for (const one of faulty) log.part(one).info("its fault is cleared: it is tried again");
    return faulty;
  }

  /** For the channel named, else for the device's only one that takes commands. Rejects with the GatewayError that kept it from that. */
  async command(id: string, channel: string | undefined, command: Command): Promise<void> {
    const device = this.#running.get(id);
    if (!device) throw unknownDevice(id);
    const processing = this.#processing.get(id);
    const calibrated = offsetChannel(channel, processing);
    if (calibrated !== undefined) return calibrate(id, calibrated, command, { ...this.#deps, processing });
    if (command.reset) throw new GatewayError("COMMAND_REFUSED", "only an offset can be reset");
    const outputs = configuredChannels(device.driver, device.options).filter(({ settable }) => settable);
    const wanted = outputs.filter(({ key }) => key === (channel ?? key));
    const [output] = wanted;
    if (!output || wanted.length > 1) throw new GatewayError("COMMAND_REFUSED", noOutput(id, channel, outputs));
    await this.#deps.fleet.command(id, output.key, command);
    // It changes a total that somebody may pay by.
    if (output.settable === "meter") this.#deps.log.part(id).info("set", { channel: output.key, to: command.value });
  }

  /** Opening drives an output to its safe state, and closing holds it there. One that cannot be reached stays as it is. */
  async #makeSafe(device: RosterDevice): Promise<void> {
    const { clock, hardware, log } = this.#deps;
    if (device.options.at_stop !== "hold") return;
    const options = { ...device.options, at_start: "safe", at_stop: "safe" };
    try {
      const output = await openDevice({ ...device, options }, hardware, { clock, memory: noMemory });
      await output.close?.();
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      log.error("an output could not be put into its safe state", { device: device.id, reason: error.message });
    }
  }

  #isActive(device: RosterDevice): boolean {
    const { log, store } = this.#deps;
    if (!device.enabled) return false;
    if (device.driver.port === "planned") {
      log.warn("device left out: its driver is not active yet", { device: device.id, driver: device.driver.name });
      return false;
    }
    if (store.tombstones().has(GATEWAY)) return false;
    if (store.tombstones().has(device.id)) {
      const remedy = `fieldpost decommission ${device.id} --revive`;
      log.warn("device left out: it was decommissioned", { device: device.id, remedy });
      return false;
    }
    return true;
  }

  #start(device: RosterDevice): void {
    const { board, clock, fleet, lastWill, log, store } = this.#deps;
    const channels = configuredChannels(device.driver, device.options);
    const processing = new DeviceProcessing(device.id, device.channels, device.computed, {
      kept: this.#kept,
      boot: clock.bootId(),
      log: log.part(device.id),
    });
    board.add(describe(device, processing.channels(channels)), starting(clock.monoMs()), store.newest(device.id));
    this.#running.set(device.id, device);
    this.#processing.set(device.id, processing);
    if (isSafeAtStop(device)) lastWill?.set(device.id, "open");
    fleet.start(this.#sampled(device, channels), this.#sink(device, processing));
  }

  #sampled(device: RosterDevice, channels: readonly Channel[]): SampledDevice {
    const { clock, hardware, lastWill, store } = this.#deps;
    return {
      id: device.id,
      intervalMs: device.intervalMs,
      offlineAfterMs: offlineAfterMs(device),
      limits: { stuckAfterMs: stuckAfterMs(device), damagedPercent: device.damagedPercent },
      deadlineMs: readDeadlineMs(device.driver.timing),
      channels,
      open: async () => {
        // Until it is open it is as it was left.
        if (isSafeAtStop(device)) lastWill?.set(device.id, "open");
        const memory = driverMemory(store, device.id);
        return await openDevice(device, hardware, { clock, memory, outputs: this.#outputs(device.id) });
      },
    };
  }

  #outputs(id: string): OutputSurroundings {
    const { controller, lastWill, log } = this.#deps;
    return {
      interlocks: this.#interlocks,
      controllerSeenMs: () => controller.seenMs(),
      switched: (to, cause) => log.part(id).info("switched", { to, because: cause }),
      ifKilled: (todo) => lastWill?.set(id, todo),
    };
  }

  #sink(device: RosterDevice, processing: DeviceProcessing): DeviceSink {
    const { board, clock, happened, store } = this.#deps;
    return {
      opened({ channels, model, serial }) {
        const info = describe(device, processing.channels(channels));
        board.setInfo({ ...info, ...(model && { model }), ...(serial && { serial }) });
      },
      sample(sample, channels) {
        const at = stampNow(clock);
        const published = processing.take(sample, channels, at.monoMs);
        if (!published) return;
        const taken: Reading = { kind: "reading", device: device.id, at, ...published };
        store.accept(taken);
        board.setValues(taken);
      },
      event(event, channels) {
        // Not those of a channel that the user switched off.
        const { eventTypes } = processing.channels(channels).find(({ key }) => key === event.channel) ?? {};
        if (eventTypes?.includes(event.type)) happened({ ...event, device: device.id, at: stampNow(clock) });
      },
      health(health) {
        const withheld = [...(health.withheld ?? []), ...processing.rejecting()];
        for (const [channel, sinceMs] of withheld) {
          if (clock.monoMs() - sinceMs >= offlineAfterMs(device)) board.forget(device.id, channel);
        }
        board.setHealth(device.id, { ...health, faults: [...(health.faults ?? []), ...processing.faults()] });
      },
    };
  }
}

function unknownDevice(id: string): GatewayError {
  return new GatewayError("DEVICE_UNKNOWN", `there is no device ${JSON.stringify(id.slice(0, 64))}`);
}

function offlineAfterMs(device: RosterDevice): number {
  return device.offlineAfterMs ?? Math.max(3 * device.intervalMs, 10_000);
}

/** What a sensor gives that is finer than its noise changes in minutes, whatever the room does. */
const DEFAULT_STUCK_AFTER_MS = 6 * 3_600_000;

function stuckAfterMs({ driver, channels }: RosterDevice): Record<string, number> {
  const own = Object.entries(channels).flatMap(([key, settings]): [string, number][] =>
    settings.stuckAfterMs === undefined ? [] : [[key, settings.stuckAfterMs]],
  );
  const noisy = (driver.noisy ?? []).map((key): [string, number] => [key, DEFAULT_STUCK_AFTER_MS]);
  return Object.fromEntries([...noisy, ...own]);
}

function noOutput(id: string, channel: string | undefined, outputs: readonly Channel[]): string {
  if (outputs.length === 0) return `${id} takes no commands`;
  const named =
    channel === undefined ? "needs a channel" : `takes no commands for ${JSON.stringify(channel.slice(0, 64))}`;
  return `${id} ${named}: ${outputs.map(({ key }) => key).join(", ")}`;
}

function describe(device: RosterDevice, channels: readonly Channel[]): DeviceInfo {
  const { manufacturer, model } = device.driver;
  return {
    id: device.id,
    name: device.name,
    driver: device.driver.name,
    intervalMs: device.intervalMs,
    channels,
    qos: device.qos,
    ...(manufacturer && { manufacturer }),
    ...(model && { model }),
    ...(device.area && { area: device.area }),
  };
}
