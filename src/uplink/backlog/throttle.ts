import type { Clock } from "../../core/clock.ts";
import { REASON } from "../link.ts";
import { Pace } from "./pace.ts";

/** After so long without a complaint, twice as much is tried again. */
const EASE_MS = 60_000;
/** Nothing is held back from here on. */
const UNLIMITED_WINDOW = 65_535;
const UNLIMITED_RATE = 50_000;

/**
 * What a broker gets that ended the connection because it was too much: half as many unacknowledged at a time (0x93,
 * receive maximum exceeded), or half as many a second (0x96, message rate too high; 0x97, quota exceeded).
 */
export class Throttle {
  readonly #clock: Clock;
  #window = UNLIMITED_WINDOW;
  #perSecond = UNLIMITED_RATE;
  #easedMonoMs = 0;
  #pace: Pace | undefined;
  #widest = UNLIMITED_WINDOW;
  /** Since when, and how many were sent: what was too much. */
  #sent = 0;
  #sinceMonoMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  window(limit: number): number {
    if (this.#window < UNLIMITED_WINDOW) this.#ease();
    return Math.min(limit, this.#window);
  }

  /** Messages a second; undefined while nothing is held back. */
  get perSecond(): number | undefined {
    if (this.#perSecond < UNLIMITED_RATE) this.#ease();
    return this.#perSecond < UNLIMITED_RATE ? this.#perSecond : undefined;
  }

  /** Resolves when the next message may go; rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<void> {
    const { perSecond } = this;
    if (perSecond === undefined) return;
    if (this.#pace?.perSecond !== perSecond) this.#pace = new Pace(perSecond, this.#clock);
    await this.#pace.take(signal);
  }

  /** What the windows were when the connection began: the first complaint halves them. */
  began(window: number): void {
    this.#sent = 0;
    this.#sinceMonoMs = this.#clock.monoMs();
    this.#widest = window;
  }

  arrived(): void {
    this.#sent++;
  }

  /** With the reason code of a DISCONNECT. */
  complained(code: number | undefined): void {
    if (code === REASON.receiveMaximumExceeded) {
      this.#window = Math.max(1, Math.floor(Math.min(this.#window, this.#widest) / 2));
    } else if (code === REASON.messageRateTooHigh || code === REASON.quotaExceeded) {
      const seconds = Math.max(1, (this.#clock.monoMs() - this.#sinceMonoMs) / 1000);
      this.#perSecond = Math.max(1, Math.min(this.#perSecond, this.#sent / seconds) / 2);
    } else return;
    this.#easedMonoMs = this.#clock.monoMs();
  }

  #ease(): void {
    const nowMonoMs = this.#clock.monoMs();
    while (
      nowMonoMs - this.#easedMonoMs >= EASE_MS &&
      (this.#window < UNLIMITED_WINDOW || this.#perSecond < UNLIMITED_RATE)
    ) {
      this.#easedMonoMs += EASE_MS;
      this.#window = Math.min(UNLIMITED_WINDOW, this.#window * 2);
      this.#perSecond = Math.min(UNLIMITED_RATE, this.#perSecond * 2);
    }
  }
}
