import type { Command } from "../core/command.ts";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { FileWrite } from "../hardware/files.ts";
import type { DriverContext, Sensor } from "./driver.ts";
import { type Interlocked, Interlocks } from "./interlock.ts";
import { type Cause, OutputControl, type OutputPolicy, type OutputState } from "./output-control.ts";

/** Whatever can be driven: a pin of the Pi, or of an expander. */
export interface Driven<State extends OutputState> {
  set(state: State): Promise<void>;
  /** What it is, not what was asked for. */
  get(): Promise<State>;
  /** How it is set when this process is dead, where that can be done. */
  byFile?(state: State): FileWrite | undefined;
  /** Lets it go; what it was set to stays where the hardware holds it. */
  release(): Promise<void>;
}

export interface OutputOptions<State extends OutputState> extends OutputPolicy<State> {
  readonly atStop: "safe" | "hold";
  /** A command without a time of its own ends after this. */
  readonly onForMs?: number | undefined;
  /** The group of which one at a time may be on. */
  readonly interlock?: string | undefined;
}

/** What commands mean to an output, and how its state is called and kept. */
export interface OutputKind<State extends OutputState> {
  readonly channel: string;
  /** `wanted`: what it was asked to be before. Throws COMMAND_REFUSED. */
  asked(command: Command, wanted: State): State;
  /** What it is to be after that, where the command is for a time. */
  after(state: State, safe: State): State;
  write(state: State): string;
  /** Undefined where something else wrote it. */
  read(text: string): State | undefined;
}

export const switched: OutputKind<boolean> = {
  channel: "state",
  asked({ on }, wanted) {
    if (on === undefined) throw new GatewayError("COMMAND_REFUSED", "it is switched: on, off or toggle");
    return on === "toggle" ? !wanted : on;
  },
  after: (state) => !state,
  write: (state) => (state ? "on" : "off"),
  read: (text) => (text === "on" || text === "off" ? text === "on" : undefined),
};

/** An output that failed is tried again after this. */
const RETRY_MS = 1000;

/** The state at start: the one that was last commanded where it is to be restored, else the safe one. */
export function initialState<State extends OutputState>(
  kind: OutputKind<State>,
  atStart: "safe" | "restore",
  safe: State,
  { memory }: DriverContext,
): State {
  const last = atStart === "restore" ? memory.load() : undefined;
  return (last === undefined ? undefined : kind.read(last)) ?? safe;
}

/** A device that is one output, already in its initial state. */
export function outputSensor<State extends OutputState>(
  kind: OutputKind<State>,
  device: Driven<State>,
  initial: State,
  options: OutputOptions<State>,
  context: DriverContext,
): Sensor {
  const output = new Output(kind, device, initial, options, context);
  return {
    read: () => output.read(),
    watch: (emit) => output.watch(emit),
    command: (_channel, command) => output.command(command),
    close: () => output.close(),
  };
}

class Output<State extends OutputState> implements Interlocked {
  readonly #kind: OutputKind<State>;
  readonly #device: Driven<State>;
  readonly #options: OutputOptions<State>;
  readonly #context: DriverContext;
  readonly #control: OutputControl<State>;
  readonly #interlocks: Interlocks;
  readonly #leave: () => void;
  #driven: State;
  /** Why it could not be driven. */
  #fault: { readonly error: unknown } | undefined;
  #emit: (sample: Sample) => void = () => undefined;
  #turn = Promise.resolve();
  #timer = new AbortController();
  #isClosed = false;

  constructor(
    kind: OutputKind<State>,
    device: Driven<State>,
    initial: State,
    options: OutputOptions<State>,
    context: DriverContext,
  ) {
    this.#kind = kind;
    this.#device = device;
    this.#options = options;
    this.#context = context;
    this.#driven = initial;
    this.#control = new OutputControl(options, initial, context.clock.monoMs());
    this.#interlocks = context.outputs?.interlocks ?? new Interlocks();
    if (options.atStop === "safe") context.outputs?.ifKilled(device.byFile?.(options.safe) ?? "open");
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
    return this.#sample(await this.#device.get());
  }

  watch(emit: (sample: Sample) => void): void {
    this.#emit = emit;
  }

  /** Resolves when it was looked at; what it shall be may still wait for its rest, or for another of its group. */
  async command(command: Command): Promise<void> {
    const { interlock, onForMs, safe } = this.#options;
    const state = this.#kind.asked(command, this.#control.wanted);
    const forMs = command.forMs ?? (state === safe ? undefined : onForMs);
    const then = forMs === undefined ? undefined : { forMs, next: this.#kind.after(state, safe) };
    this.#control.command(state, this.#context.clock.monoMs(), then);
    this.#context.memory.save(this.#kind.write(state), "soon");
    if (interlock !== undefined && state !== safe) this.#interlocks.claim(interlock, this);
    await this.#update();
    if (this.#fault) throw this.#fault.error;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn;
    this.#timer.abort();
    try {
      if (this.#options.atStop === "safe") await this.#device.set(this.#options.safe);
      this.#context.outputs?.ifKilled("nothing");
    } finally {
      this.#leave();
      await this.#device.release();
    }
  }

  #sample(state: State): Sample {
    return { values: { [this.#kind.channel]: state } };
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
    const { state, cause, againMs } = this.#control.look(nowMs, blocked);
    if (state !== this.#driven || this.#fault) await this.#drive(state, cause);
    this.#wakeAt(this.#fault ? Math.min(againMs ?? Number.POSITIVE_INFINITY, nowMs + RETRY_MS) : againMs);
  }

  async #drive(wanted: State, cause: Cause): Promise<void> {
    const { outputs } = this.#context;
    const state = await this.#set(wanted);
    if (this.#options.interlock !== undefined) this.#interlocks.changed(this.#options.interlock, this);
    if (state === undefined) return;
    if (cause !== "command") outputs?.switched(wanted, cause);
    this.#emit(this.#sample(state));
  }

  /** What it is then; undefined, and a fault, where that could not be done. */
  async #set(state: State): Promise<State | undefined> {
    try {
      await this.#device.set(state);
      this.#driven = state;
      this.#fault = undefined;
      return await this.#device.get();
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
