import type { Time } from "./time.ts";

/** TCP asks again so often while nothing gets through. */
const RETRY_MS = 500;

/** One direction of a connection: nothing overtakes, and what meets silence waits. */
export class Lane {
  readonly #time: Time;
  readonly #isSilent: () => boolean;
  readonly #waiting: { readonly dueMs: number; readonly arrived: () => void }[] = [];
  #lastMs = 0;
  #closed = false;
  #retrying = false;

  constructor(time: Time, isSilent: () => boolean) {
    this.#time = time;
    this.#isSilent = isSilent;
  }

  send(delayMs: number, arrived: () => void): void {
    this.#lastMs = Math.max(this.#lastMs, this.#time.nowMs + delayMs);
    this.#waiting.push({ dueMs: this.#lastMs, arrived });
    this.#time.after(this.#lastMs - this.#time.nowMs, () => this.#deliver());
  }

  /** When everything that was sent has arrived, if nothing is silent. */
  get emptyInMs(): number {
    return Math.max(0, this.#lastMs - this.#time.nowMs);
  }

  close(): void {
    this.#closed = true;
  }

  #deliver(): void {
    while (!this.#closed && (this.#waiting[0]?.dueMs ?? Infinity) <= this.#time.nowMs) {
      if (this.#isSilent()) {
        this.#retry();
        return;
      }
      this.#waiting.shift()?.arrived();
    }
  }

  #retry(): void {
    if (this.#retrying) return;
    this.#retrying = true;
    this.#time.after(RETRY_MS, () => {
      this.#retrying = false;
      this.#deliver();
    });
  }
}
