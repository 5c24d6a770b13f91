import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Edge, GpioInput, Level } from "../gpio.ts";
import { pinFault } from "./gpio-sysfs.ts";

/** What we use of onoff's Gpio. */
export interface Line {
  /** Microseconds: the line is a register of the SoC. An asynchronous read could meet a descriptor that was closed. */
  readSync(): Level;
  watch(callback: () => void): void;
  unwatchAll(): void;
  unexport(): void;
}

/** A claimed line, with onoff kept from ending the process. `release` is called once, when the line is given back. */
export class LinuxInput implements GpioInput {
  readonly pin: number;
  readonly #line: Line;
  readonly #clock: Pick<Clock, "monoMs">;
  readonly #release: () => void;
  losses = 0;
  #known: Level = 0;
  #fault: GatewayError | undefined;
  #released = false;

  constructor(pin: number, line: Line, clock: Pick<Clock, "monoMs">, release: () => void) {
    this.pin = pin;
    this.#line = line;
    this.#clock = clock;
    this.#release = release;
    this.#guard();
  }

  async level(): Promise<Level> {
    this.#refuseIfGone();
    const level = this.#line.readSync();
    this.#refuseIfGone();
    return level;
  }

  onEdge(listener: (edge: Edge) => void): void {
    this.#refuseIfGone();
    try {
      this.#known = this.#line.readSync();
      this.#line.watch(() => this.#look(listener));
    } catch (cause) {
      throw pinFault(this.pin, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#unwatch();
    try {
      this.#line.unexport();
    } catch {
      // The line was taken away, and its files with it.
    }
    this.#release();
  }

  /**
   * onoff's poll callback reads the line before it calls anybody, and what that throws (the pin was unexported behind our
   * back: ENODEV) would end the process, or, the descriptor staying ready, come again for ever. So the read answers with
   * what was known, and the watching ends; `level()` tells the fault.
   */
  #guard(): void {
    const read = this.#line.readSync.bind(this.#line);
    this.#line.readSync = () => {
      try {
        return read();
      } catch (cause) {
        this.#fault = pinFault(this.pin, cause);
        this.#unwatch();
        return this.#known;
      }
    };
  }

  /** onoff's value is as old as its read, and edges that came together arrive as one: only a real change is told. */
  #look(listener: (edge: Edge) => void): void {
    const level = this.#line.readSync();
    if (this.#fault || this.#released) return;
    if (level === this.#known) {
      this.losses++;
      return;
    }
    this.#known = level;
    listener({ level, monoMs: this.#clock.monoMs() });
  }

  #refuseIfGone(): void {
    if (this.#released) throw new GatewayError("CANCELLED", `pin ${this.pin} was given back`);
    if (this.#fault) throw this.#fault;
  }

  #unwatch(): void {
    try {
      this.#line.unwatchAll();
    } catch {
      // epoll does not know the descriptor any more: nothing is watched.
    }
  }
}
