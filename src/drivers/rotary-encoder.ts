import { z } from "zod";
import type { SensorEvent } from "../core/event.ts";
import type { Edge, Level } from "../hardware/gpio.ts";
import { gpioDriver } from "./driver.ts";
import { pinNumber, pinPull } from "./options.ts";

/** Edges of the two pins come from two places, each in its order; so long they are gathered to be put into one. */
const GATHER_MS = 50;

export const rotaryEncoder = gpioDriver({
  name: "rotary-encoder",
  title: "A rotary encoder on two GPIO pins (quadrature): knobs, wind vanes, odometers",
  options: {
    pin: pinNumber().describe("BCM number of the pin of track A"),
    pin_b: pinNumber().describe("BCM number of the pin of track B; exchange both to turn the direction round"),
    pull: pinPull()
      .optional()
      .describe("Pull resistors inside the Pi, for both pins; by default they are left as they are"),
    steps_per_detent: z
      .literal([1, 2, 4])
      .default(4)
      .describe("How many of the four steps of a period make one count: 4 for most knobs, 1 for the finest"),
  },
  channels: {
    turn: { quantity: "event", title: "Turn", eventTypes: ["clockwise", "counterclockwise"] },
    position: { quantity: "number", title: "Position", decimals: 0 },
    losses: { quantity: "count", title: "Losses", diagnostic: true },
  },
  timing: { minIntervalMs: 100, expectedMs: 50 },
  notes:
    "The position is 0 at each start, grows where A leads B (clockwise), and is sent as it changes, at most twenty times a " +
    "second; each time an event on `<dev>/turn/event` says which way and by how many `steps`. Events are told within 5 " +
    "seconds or dropped. With " +
    "libgpiod's tools (package `gpiod`) edges carry the kernel's time. Where both tracks change at once a step was missed; " +
    "`losses` counts that.",

  async open(gpio, { pin, pin_b: pinB, pull, steps_per_detent: stepsPerDetent }, { clock }) {
    const wishes = { kernelTime: true, ...(pull && { pull }) };
    const a = await gpio.input(pin, wishes);
    const b = await gpio.input(pinB, wishes).catch(async (error: unknown) => {
      await a[Symbol.asyncDispose]();
      throw error;
    });
    const stop = new AbortController();
    const quadrature = new Quadrature(await a.level(), await b.level());
    const position = () => Math.trunc(quadrature.steps / stepsPerDetent) + 0;
    const losses = () => quadrature.missed + a.losses + b.losses;
    let gathered: TrackEdge[] = [];
    let told = position();
    let tell: () => void = () => undefined;
    let happened: (event: SensorEvent) => void = () => undefined;
    const turn = () => {
      for (const edge of gathered.sort((one, other) => one.monoMs - other.monoMs)) quadrature.take(edge);
      gathered = [];
      const steps = position() - told;
      if (steps === 0) return;
      told += steps;
      tell();
      const type = steps > 0 ? "clockwise" : "counterclockwise";
      happened({ channel: "turn", type, details: { steps: Math.abs(steps) } });
    };
    const gather = (track: Track) => (edge: Edge) => {
      gathered.push({ ...edge, track });
      if (gathered.length > 1) return;
      clock.sleep(GATHER_MS, stop.signal).then(turn, () => undefined);
    };
    a.onEdge(gather("a"));
    b.onEdge(gather("b"));
    const sample = () => ({ values: { position: position(), losses: losses() } });
    return {
      async read() {
        await Promise.all([a.level(), b.level()]);
        return sample();
      },
      watch(emit) {
        tell = () => emit(sample());
      },
      onEvent(tellEvent) {
        happened = tellEvent;
      },
      async close() {
        stop.abort(new Error("closed"));
        await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]);
      },
    };
  },
});

type Track = "a" | "b";

interface TrackEdge extends Edge {
  readonly track: Track;
}

/** Phase of a Gray code's period, for `a` and `b` as its two bits: where A leads, 00 10 11 01. */
const phases = [0, 3, 1, 2] as const;

/** Two tracks, a quarter of a period apart. A contact that bounces goes a step to and fro, and ends where it is. */
class Quadrature {
  #levels: Record<Track, Level>;
  #phase: number;
  steps = 0;
  missed = 0;

  constructor(a: Level, b: Level) {
    this.#levels = { a, b };
    this.#phase = this.#now();
  }

  take({ track, level }: TrackEdge): void {
    this.#levels = { ...this.#levels, [track]: level };
    const phase = this.#now();
    const step = (phase - this.#phase + 4) % 4;
    this.#phase = phase;
    // Two steps at once could be either way.
    if (step === 2) this.missed++;
    else this.steps += step === 3 ? -1 : step;
  }

  #now(): number {
    return phases[(2 * this.#levels.a + this.#levels.b) as 0 | 1 | 2 | 3];
  }
}
