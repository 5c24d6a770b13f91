import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Edge, Gpio, GpioInput, GpioOutput, Level } from "../gpio.ts";
import type { World } from "./chip.ts";

/** The pins of the 40-pin header. */
const LAST_PIN = 27;
/** How often a watched contact of the world is looked at. */
const LOOK_EVERY_MS = 100;

interface Claim {
  level: Level;
  listener?: (edge: Edge) => void;
  readonly stop: AbortController;
}

/** Pins that follow the contacts of the simulated world, until somebody drives them. */
export class SimulatedGpio implements Gpio {
  readonly name = "sim";
  readonly #world: World;
  readonly #clock: Pick<Clock, "monoMs" | "sleep">;
  readonly #driven = new Map<number, Level>();
  readonly #claims = new Map<number, Claim>();

  constructor(world: World, clock: Pick<Clock, "monoMs" | "sleep">) {
    this.#world = world;
    this.#clock = clock;
  }

  /** Sets a pin from outside, as a wire would; from now on the world does not move it. */
  drive(pin: number, level: Level): void {
    this.#driven.set(pin, level);
    this.#look(pin);
  }

  async input(pin: number): Promise<GpioInput> {
    const claim = this.#claim(pin);
    return {
      pin,
      losses: 0,
      level: async () => this.#read(pin, claim),
      onEdge: (listener) => {
        claim.level = this.level(pin);
        claim.listener = listener;
        void this.#keepLooking(pin, claim.stop.signal);
      },
      [Symbol.asyncDispose]: async () => this.#release(pin, claim),
    };
  }

  async output(pin: number, initial: Level): Promise<GpioOutput> {
    const claim = this.#claim(pin);
    this.#driven.set(pin, initial);
    return {
      pin,
      level: async () => this.#read(pin, claim),
      set: async (level) => {
        this.#read(pin, claim);
        this.#driven.set(pin, level);
      },
      [Symbol.asyncDispose]: async () => this.#release(pin, claim),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [pin, claim] of this.#claims) this.#release(pin, claim);
  }

  #claim(pin: number): Claim {
    if (!Number.isInteger(pin) || pin < 0 || pin > LAST_PIN) {
      throw new GatewayError("PIN_MISSING", `there is no pin ${pin} on sim: it has 0 to ${LAST_PIN}`);
    }
    if (this.#claims.has(pin)) throw new GatewayError("PIN_BUSY", `pin ${pin} on sim is in use`);
    const claim: Claim = { level: this.level(pin), stop: new AbortController() };
    this.#claims.set(pin, claim);
    return claim;
  }

  #read(pin: number, { stop }: Claim): Level {
    if (stop.signal.aborted) throw new GatewayError("CANCELLED", `pin ${pin} on sim was given back`);
    return this.level(pin);
  }

  /** What is at the pin, whoever drives it. */
  level(pin: number): Level {
    return this.#driven.get(pin) ?? this.#world.contact(pin);
  }

  #look(pin: number): void {
    const claim = this.#claims.get(pin);
    const level = this.level(pin);
    if (!claim || claim.level === level) return;
    claim.level = level;
    claim.listener?.({ level, monoMs: this.#clock.monoMs() });
  }

  async #keepLooking(pin: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#look(pin);
      await this.#clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }

  #release(pin: number, claim: Claim): void {
    claim.stop.abort();
    if (this.#claims.get(pin) === claim) this.#claims.delete(pin);
  }
}
