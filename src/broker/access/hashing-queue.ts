/** Hashing has the threads that files are read with: it may not have them all. */
const AT_ONCE = 2;
const MAX_WAITING = 1000;

/** Runs few at a time, the others in order. */
export class HashingQueue {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Undefined: too many wait already, and it was not run. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
