import type { Command } from "../core/command.ts";
import { GatewayError } from "../core/errors.ts";
import { type DeviceSink, type RunningDevice, runDevice, type SampledDevice, type SamplerDeps } from "./device-loop.ts";

interface Member extends RunningDevice {
  readonly stop: AbortController;
}

/**
 * The devices that are being sampled, each in a loop of its own: a slow or broken one holds up nobody. Devices come and
 * go while it runs (reload, decommission).
 */
export class Fleet {
  readonly #members = new Map<string, Member>();
  readonly #deps: SamplerDeps;
  readonly #broken: (error: unknown) => void;
  readonly #failure: Promise<never>;
  #over = false;

  constructor(deps: SamplerDeps) {
    this.#deps = deps;
    let broken: (error: unknown) => void = () => undefined;
    this.#failure = new Promise<never>((_, reject) => {
      broken = reject;
    });
    this.#failure.catch(() => undefined);
    this.#broken = broken;
  }

  /** Does nothing once `run` has ended: a reload that is under way then must not leave a device running. */
  start(device: SampledDevice, sink: DeviceSink): void {
    if (this.#over) return;
    if (this.#members.has(device.id)) throw new Error(`device ${device.id} is sampled already`);
    const stop = new AbortController();
    const deps = { ...this.#deps, log: this.#deps.log.part(device.id) };
    const running = runDevice(device, sink, deps, stop.signal);
    this.#members.set(device.id, { ...running, stop, ended: running.ended.catch(this.#broken) });
  }

  /** Resolves once the device is closed. Nothing for a device that is not sampled. */
  async stop(id: string): Promise<void> {
    const member = this.#members.get(id);
    if (!member) return;
    this.#members.delete(id);
    member.stop.abort();
    await member.ended;
  }

  /** Rejects with the GatewayError that kept it from being carried out. */
  async command(id: string, channel: string, command: Command): Promise<void> {
    const member = this.#members.get(id);
    if (!member) throw new GatewayError("COMMAND_REFUSED", `${id} is not running`);
    await member.command(channel, command);
  }

  /** Nothing is held against the device any more, and where it is not well it is opened again at once. */
  clearFault(id: string): void {
    this.#members.get(id)?.clearFault();
  }

  /** Runs until the signal, then stops every device. Rejects when a loop died of a bug. */
  async run(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    try {
      await Promise.race([stopped, this.#failure]);
    } finally {
      this.#over = true;
      await Promise.all([...this.#members.keys()].map((id) => this.stop(id)));
    }
  }
}
