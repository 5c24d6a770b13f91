import type { Clock } from "../core/clock.ts";

/**
 * Is somebody there who could switch an output? Home Assistant is, while its status, as it was heard over the connection
 * that there is, says `online`. Commands are counted by the outputs themselves.
 */
export class Controller {
  readonly #clock: Pick<Clock, "monoMs">;
  #isOnline = false;
  #seenMs = 0;

  constructor(clock: Pick<Clock, "monoMs">) {
    this.#clock = clock;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Monotonic milliseconds at which it was there for the last time: now, while it is. */
  seenMs(): number {
    if (this.#isOnline) this.#seenMs = this.#clock.monoMs();
    return this.#seenMs;
  }

  heard(status: string): void {
    this.#turn(status === "online");
  }

  connectionChanged(): void {
    this.#turn(false);
  }

  #turn(isOnline: boolean): void {
    this.seenMs();
    this.#isOnline = isOnline;
  }
}
