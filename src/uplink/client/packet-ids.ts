/** Packet ids (MQTT 5 §2.2.1) up to here are ours; mqtt.js has those above. */
const OWN_LAST = 50_000;
const LAST = 65_535;

/** Our own packet ids, with who waits for the acknowledgement of each. */
export class OwnIds<T> {
  readonly #waiting = new Map<number, T>();
  #last = 0;
  #emptied: (() => void) | undefined;

  get size(): number {
    return this.#waiting.size;
  }

  /** The next id that is free. There must be one: whoever asks keeps to a window. */
  give(to: T): number {
    if (this.#waiting.size >= OWN_LAST) throw new Error("no packet id is free");
    do this.#last = (this.#last % OWN_LAST) + 1;
    while (this.#waiting.has(this.#last));
    this.#waiting.set(this.#last, to);
    return this.#last;
  }

  /** Who waits for it; undefined for an id that was not given. */
  take(id: number): T | undefined {
    const found = this.#waiting.get(id);
    if (!this.#waiting.delete(id) || this.#waiting.size > 0) return found;
    const emptied = this.#emptied;
    this.#emptied = undefined;
    if (emptied) setImmediate(emptied);
    return found;
  }

  /** Calls it once nobody waits any more: at once, or after the last one was told. */
  whenEmpty(call: () => void): void {
    if (this.#waiting.size === 0) call();
    else this.#emptied = call;
  }
}

/** The ids of mqtt.js, whose own count goes round and round over ids that still wait. */
export class ClientIds {
  readonly #used = new Set<number>();
  #last = OWN_LAST;

  allocate(): number | null {
    if (this.#used.size >= LAST - OWN_LAST) return null;
    do this.#last = this.#last < LAST ? this.#last + 1 : OWN_LAST + 1;
    while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  getLastAllocated(): number | null {
    return this.#last > OWN_LAST ? this.#last : null;
  }

  register(id: number): boolean {
    const isFree = !this.#used.has(id);
    this.#used.add(id);
    return isFree;
  }

  deallocate(id: number): void {
    this.#used.delete(id);
  }

  clear(): void {
    this.#used.clear();
  }
}
