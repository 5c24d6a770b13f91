/** How long the store waits before it asks a failing disk again. */
const RETRY_MS = 5000;
/** A tick of the store, and what chance does to the order of things in it. */
const SLACK_MS = 1500;

/**
 * What a power cut may cost, by the promise: what was taken within the commit window and one sync of the card before it,
 * and what was taken while the disk refused, or had not recovered yet.
 */
export class DiskPromise {
  readonly #windowMs: number;
  /** Since when the disk refuses; of those times that are over, when they ended. */
  #unwellSinceMs: number | undefined;
  #wellFromMs = Number.NEGATIVE_INFINITY;
  #slowestMs = 0;

  constructor(commitWindowMs: number) {
    this.#windowMs = commitWindowMs;
  }

  refuses(nowMs: number): void {
    if (!this.#isUnwell(nowMs)) this.#unwellSinceMs = nowMs;
    this.#wellFromMs = Number.POSITIVE_INFINITY;
  }

  recovers(nowMs: number): void {
    if (this.#wellFromMs === Number.POSITIVE_INFINITY) this.#wellFromMs = nowMs + RETRY_MS + this.#delayMs();
  }

  /** Each call takes so long from now on; slower ones may still be under way. */
  takes(ms: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, ms);
  }

  /** What a power cut now may take: everything after the returned time. */
  safeUntilMs(nowMs: number): number {
    const from = this.#isUnwell(nowMs) ? Math.min(nowMs, this.#unwellSinceMs ?? nowMs) : nowMs;
    return from - this.#delayMs();
  }

  #isUnwell(nowMs: number): boolean {
    return this.#unwellSinceMs !== undefined && nowMs < this.#wellFromMs;
  }

  /** Some calls go before a commit: reads for the drain, usage, a trim. */
  #delayMs(): number {
    return this.#windowMs + SLACK_MS + 6 * this.#slowestMs;
  }
}
