interface Waiting {
  readonly alone: boolean;
  readonly task: () => void;
}

/**
 * At most `limit` at once. Who finds it full waits in line, urgent ones in a line of their own that goes first. Who asks
 * to be alone waits until all others have left, and keeps them out. Tasks are called where a place becomes free, not a
 * turn later, so that nobody who comes in between can overtake.
 */
export class Gate {
  readonly #limit: number;
  readonly #urgent: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #inside = 0;
  #isLocked = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  enter(urgent: boolean, task: () => void, alone = false): void {
    const waiting = { alone, task };
    const nobodyWaits = this.#others.length === 0 && this.#urgent.length === 0;
    const isNext = nobodyWaits || (urgent && this.#urgent.length === 0);
    if (isNext && this.#mayEnter(waiting)) this.#let(waiting);
    else (urgent ? this.#urgent : this.#others).push(waiting);
  }

  leave(): void {
    this.#inside--;
    this.#isLocked = false;
    for (let line = this.#nextLine(); line; line = this.#nextLine()) {
      const [next] = line;
      if (!next || !this.#mayEnter(next)) return;
      line.shift();
      this.#let(next);
    }
  }

  /** Forgets who waits. */
  clear(): void {
    this.#urgent.length = 0;
    this.#others.length = 0;
  }

  #nextLine(): Waiting[] | undefined {
    return [this.#urgent, this.#others].find((line) => line.length > 0);
  }

  #mayEnter({ alone }: Waiting): boolean {
    return !this.#isLocked && this.#inside < (alone ? 1 : this.#limit);
  }

  #let({ alone, task }: Waiting): void {
    this.#inside++;
    this.#isLocked = alone;
    task();
  }
}
