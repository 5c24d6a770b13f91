import { z } from "zod";
import type { SensorEvent } from "../core/event.ts";
import type { Edge, GpioInput, Level } from "../hardware/gpio.ts";
import { type ChannelFacts, type DriverContext, gpioDriver } from "./driver.ts";
import { durationMs, pinNumber, pinPull } from "./options.ts";
import { Presses, type PressTimes, type PressType, pressTypes, SettledLevel } from "./presses.ts";

/** So much later than they happen edges may be heard, from another program: no timer decides before. */
const HEARD_WITHIN_MS = 10;

const press = { quantity: "event", title: "Button", eventTypes: pressTypes } as const satisfies ChannelFacts;
const pressed = { quantity: "binary", title: "Pressed" } as const;

export const button = gpioDriver({
  name: "button",
  title: "A push button on a GPIO pin: single, double and long presses",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    pull: pinPull().optional().describe("Pull resistor inside the Pi; by default it is left as it is"),
    invert: z.boolean().default(false).describe("A low level is pressed: a button to ground with a pull-up"),
    debounce: durationMs({ maxMs: 1000 })
      .prefault("20ms")
      .describe("A change counts once the level has been stable for this long"),
    long_press: durationMs({ minMs: 100, maxMs: 60_000 })
      .prefault("800ms")
      .describe("Held for this long it is a `long` press, told while it is held"),
    double_press: durationMs({ maxMs: 5000 })
      .prefault("300ms")
      .describe("A second press within this time after the first makes `double`; `0`: each is `single` at once"),
    device_class: z.enum(["button", "doorbell"]).default("button").describe("What it is to Home Assistant"),
  },
  channels: { press, pressed },
  channelsFor: ({ device_class: deviceClass }) => ({ press: { ...press, deviceClass }, pressed }),
  timing: { minIntervalMs: 100, expectedMs: 50 },
  notes:
    "Presses are told on `<dev>/press/event` as `single`, `double` or `long`, at the moment and never later: an event that cannot be " +
    "published within 5 seconds is dropped and counted in `health`. `double` is told when the second press begins, `single` once " +
    "no second came within `double_press`. A button that is held while the gateway starts tells nothing until it is released. " +
    "`pressed` is the level, sent as it changes; who does not want it in the history writes `channels: { pressed: { enabled: " +
    "false } }`. `pull` takes libgpiod's tools (package `gpiod`).",

  async open(gpio, { pin, pull, invert, debounce, long_press: longMs, double_press: doubleMs }, context) {
    const input = await gpio.input(pin, { kernelTime: true, ...(pull && { pull }) });
    const down: Level = invert ? 0 : 1;
    const settled = new SettledLevel(debounce, await input.level());
    const watched = new Button(input, down, settled, { longMs, doubleMs }, context.clock);
    return {
      read: () => watched.read(),
      watch: (emit) => watched.watch(emit),
      onEvent: (tell) => watched.onEvent(tell),
      close: () => watched.close(),
    };
  },
});

class Button {
  readonly #input: GpioInput;
  readonly #down: Level;
  readonly #settled: SettledLevel;
  readonly #presses: Presses;
  readonly #clock: DriverContext["clock"];
  #timer = new AbortController();
  #emit: (sample: { values: { pressed: boolean } }) => void = () => undefined;
  #tell: (event: SensorEvent) => void = () => undefined;

  constructor(input: GpioInput, down: Level, settled: SettledLevel, times: PressTimes, clock: DriverContext["clock"]) {
    this.#input = input;
    this.#down = down;
    this.#settled = settled;
    this.#presses = new Presses(times);
    this.#clock = clock;
    input.onEdge((edge) => this.#heard(edge));
  }

  async read() {
    const level = await this.#input.level();
    // An edge that nobody heard would leave it held for ever.
    const isMissed = this.#settled.dueMs === undefined && level !== this.#settled.now;
    if (isMissed) this.#heard({ level, monoMs: this.#clock.monoMs() });
    return this.#sample();
  }

  watch(emit: (sample: { values: { pressed: boolean } }) => void): void {
    this.#emit = emit;
  }

  onEvent(tell: (event: SensorEvent) => void): void {
    this.#tell = tell;
  }

  async close(): Promise<void> {
    this.#timer.abort();
    await this.#input[Symbol.asyncDispose]();
  }

  #sample() {
    return { values: { pressed: this.#settled.now === this.#down } };
  }

  #heard(edge: Edge): void {
    this.#pass(edge.monoMs);
    this.#settled.edge(edge);
    this.#pass(edge.monoMs);
    void this.#waitForDue();
  }

  /** Everything that has become certain by then, in the order in which it happened. */
  #pass(nowMs: number): void {
    const change = this.#settled.pass(nowMs);
    if (change) {
      this.#press(this.#presses.pass(change.monoMs));
      this.#press(this.#presses.change(change.level === this.#down, change.monoMs));
      this.#emit(this.#sample());
    }
    // A level that has yet to settle may be the release, or the second press.
    if (this.#settled.dueMs === undefined) this.#press(this.#presses.pass(nowMs));
  }

  #press(type: PressType | undefined): void {
    if (type) this.#tell({ channel: "press", type });
  }

  async #waitForDue(): Promise<void> {
    this.#timer.abort();
    const dueMs = this.#settled.dueMs ?? this.#presses.dueMs;
    if (dueMs === undefined) return;
    this.#timer = new AbortController();
    const { signal } = this.#timer;
    try {
      await this.#clock.sleep(dueMs + HEARD_WITHIN_MS - this.#clock.monoMs(), signal);
      // A process that was held up runs its timers before it hears of what happened meanwhile.
      const isLate = this.#clock.monoMs() > dueMs + 2 * HEARD_WITHIN_MS;
      if (isLate) await this.#clock.sleep(HEARD_WITHIN_MS, signal);
    } catch {
      return; // an edge came first, and waits anew
    }
    this.#pass(this.#clock.monoMs());
    void this.#waitForDue();
  }
}
