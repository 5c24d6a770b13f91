import type { Command } from "../core/command.ts";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { DriverContext, Sensor } from "./driver.ts";
import { type Interlocked, Interlocks } from "./interlock.ts";
import { type Cause, OutputControl, type OutputPolicy } from "./output-control.ts";

/** Whatever can be switched: a pin of the Pi, or of an expander. */
export interface Switch {
  set(on: boolean): Promise<void>;
  /** What it is, not what was asked for. */
  get(): Promise<boolean>;
  /** Lets it go; what it was set to stays where the hardware holds it. */
  release(): Promise<void>;
}

export interface OutputOptions extends OutputPolicy {
  readonly atStop: "safe" | "hold";
  /** A command without a time of its own ends after this. */
  readonly onForMs?: number | undefined;
  /** The group of which one at a time may be on. */
  readonly interlock?: string | undefined;
}

/** A switch that failed is tried again after this. */
const RETRY_MS = 1000;

/** The state at start: the one that was last commanded where it is to be restored, else the safe one. */
export function initialState(atStart: "safe" | "restore", safe: boolean, { memory }: DriverContext): boolean {
  const last = memory.load();
  return atStart === "restore" && last !== undefined ? last === "on" : safe;
}

/** A device that is one output, already in its initial state. */
export function outputSensor(device: Switch, initial: boolean, options: OutputOptions, context: DriverContext): Sensor {
  const output = new Output(device, initial, options, context);
  return {
    read: () => output.read(),
    watch: (emit) => output.watch(emit),
    command: (_channel, command) => output.command(command),
    close: () => output.close(),
  };
}

class Output implements Interlocked {
  readonly #switch: Switch;
  readonly #options: OutputOptions;
  readonly #context: DriverContext;
  readonly #control: OutputControl;
  readonly #interlocks: Interlocks;
  readonly #leave: () => void;
  #driven: boolean;
  /** Why it could not be driven. */
  #fault: { readonly error: unknown } | undefined;
  #emit: (sample: Sample) => void = () => undefined;
  #turn = Promise.resolve();
  #timer = new AbortController();
  #isClosed = false;

  constructor(device: Switch, initial: boolean, options: OutputOptions, context: DriverContext) {
    this.#switch = device;
    this.#options = options;
    this.#context = context;
    this.#driven = initial;
    this.#control = new OutputControl(options, initial, context.clock.monoMs());
    this.#interlocks = context.outputs?.interlocks ?? new Interlocks();
    this.#leave = options.interlock === undefined ? () => undefined : this.#interlocks.join(options.interlock, this);
    this.wake();
  }

  /** What is driven counts: one that still is on blocks the others, whatever it wants. */
  get isAway(): boolean {
    return this.#driven !== this.#options.safe;
  }

  release(): void {
    this.#control.release();
    this.wake();
  }

  wake(): void {
    void this.#update();
  }

  async read(): Promise<Sample> {
    if (this.#fault) throw this.#fault.error;
    return { values: { state: await this.#switch.get() } };
  }

  watch(emit: (sample: Sample) => void): void {
    this.#emit = emit;
  }

  /** Resolves when it was looked at; what it shall be may still wait for its rest, or for another of its group. */
  async command({ on: asked, forMs }: Command): Promise<void> {
    if (asked === undefined) throw new GatewayError("COMMAND_REFUSED", "it is switched: on, off or toggle");
    const on = asked === "toggle" ? !this.#control.wantsOn : asked;
    const { interlock, onForMs, safe } = this.#options;
    this.#control.command(on, this.#context.clock.monoMs(), forMs ?? (on === safe ? undefined : onForMs));
    this.#context.memory.save(on ? "on" : "off", "soon");
    if (interlock !== undefined && on !== safe) this.#interlocks.claim(interlock, this);
    await this.#update();
    if (this.#fault) throw this.#fault.error;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    this.#timer.abort();
    try {
      if (this.#options.atStop === "safe") await this.#switch.set(this.#options.safe);
    } finally {
      this.#leave();
      await this.#switch.release();
    }
  }

  /** One look after the other: what a command, the time or the group changed meanwhile is looked at once more. */
  #update(): Promise<void> {
    this.#turn = this.#turn.then(() => (this.#isClosed ? undefined : this.#look()));
    return this.#turn;
  }

  async #look(): Promise<void> {
    const { clock, outputs } = this.#context;
    const { interlock } = this.#options;
    const nowMs = clock.monoMs();
    this.#control.heard(outputs?.controllerSeenMs() ?? 0);
    const blocked = interlock !== undefined && this.#interlocks.isTaken(interlock, this);
    const { on, cause, againMs } = this.#control.look(nowMs, blocked);
    if (on !== this.#driven || this.#fault) await this.#drive(on, cause);
    this.#wakeAt(this.#fault ? Math.min(againMs ?? Number.POSITIVE_INFINITY, nowMs + RETRY_MS) : againMs);
  }

  async #drive(on: boolean, cause: Cause): Promise<void> {
    const { outputs } = this.#context;
    const state = await this.#switched(on);
    if (this.#options.interlock !== undefined) this.#interlocks.changed(this.#options.interlock, this);
    if (state === undefined) return;
    if (cause !== "command") outputs?.switched(on, cause);
    this.#emit({ values: { state } });
  }

  /** What it is then; undefined, and a fault, where that could not be done. */
  async #switched(on: boolean): Promise<boolean | undefined> {
    try {
      await this.#switch.set(on);
      this.#driven = on;
      this.#fault = undefined;
      return await this.#switch.get();
    } catch (error) {
      this.#fault = { error };
      return undefined;
    }
  }

  #wakeAt(untilMs: number | undefined): void {
    this.#timer.abort();
    if (untilMs === undefined) return;
    this.#timer = new AbortController();
    const { clock } = this.#context;
    clock.sleep(Math.max(0, untilMs - clock.monoMs()), this.#timer.signal).then(
      () => this.wake(),
      () => undefined, // something else woke it before
    );
  }
}
