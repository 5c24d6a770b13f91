import type { Clock } from "../../core/clock.ts";

/** What was not used is kept for so long: timers are no finer than a millisecond, and late. */
const CREDIT_MS = 100;

/** What is begun now and awaited only after more has gone at its pace: that it fails meanwhile is told then. */
export function awaitedLater<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {});
  return answer;
}

/** Lets through so many a second. */
export class Pace {
  readonly perSecond: number;
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #nextMonoMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, clock: Clock) {
    this.perSecond = perSecond;
    this.#intervalMs = 1000 / perSecond;
    this.#clock = clock;
  }

  /** Resolves when the next one may go; rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<void> {
    const nowMonoMs = this.#clock.monoMs();
    this.#nextMonoMs = Math.max(this.#nextMonoMs, nowMonoMs - CREDIT_MS);
    const waitMs = this.#nextMonoMs - nowMonoMs;
    this.#nextMonoMs += this.#intervalMs;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}
