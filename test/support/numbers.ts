/** Numbers below 2^32 (xorshift), from a seed that is not 0. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Chance that a seed repeats. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = numbersFrom(seed);
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    return (this.#next() / 2 ** 32) * limit;
  }

  whole(limit: number): number {
    return Math.floor(this.below(limit));
  }

  of(share: number): boolean {
    return this.below(1) < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(from.length)] as T;
  }
}
