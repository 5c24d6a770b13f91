/**
 * At most `limit` at once. Who finds it full waits in line, urgent ones in a line of their own that goes first. Tasks
 * are called where a place becomes free, not a turn later, so that nobody who comes in between can overtake.
 */
export class Gate {
  readonly #limit: number;
  readonly #urgent: (() => void)[] = [];
  readonly #others: (() => void)[] = [];
  #inside = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  enter(urgent: boolean, task: () => void): void {
    if (this.#inside >= this.#limit) {
      (urgent ? this.#urgent : this.#others).push(task);
      return;
    }
    this.#inside++;
    task();
  }

  leave(): void {
    this.#inside--;
    const next = this.#urgent.shift() ?? this.#others.shift();
    if (!next) return;
    this.#inside++;
    next();
  }

  /** Forgets who waits. */
  clear(): void {
    this.#urgent.length = 0;
    this.#others.length = 0;
  }
}
