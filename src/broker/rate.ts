/** So many a second, and as many at once after a quiet second. */
export class RateLimit {
  readonly #perS: number;
  #left: number;
  #atMs: number;

  constructor(perS: number, nowMs: number) {
    this.#perS = perS;
    this.#left = this.#most;
    this.#atMs = nowMs;
  }

  /** False: one too many. */
  take(nowMs: number): boolean {
    this.#left = Math.min(this.#most, this.#left + ((nowMs - this.#atMs) / 1000) * this.#perS);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  get #most(): number {
    return Math.max(1, this.#perS);
  }
}
