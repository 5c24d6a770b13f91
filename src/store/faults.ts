import type { GatewayError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { StoreFault } from "./store.ts";

/** What is wrong with the store at the moment, one fault a place; logs when one comes and when it goes. */
export class Faults {
  readonly #faults = new Map<string, StoreFault>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  raise(place: string, { code, message }: Pick<GatewayError, "code" | "message">): void {
    if (this.#faults.get(place)?.code !== code) this.#log.error("the store has a fault", { place, code, message });
    this.#faults.set(place, { code, message });
  }

  clear(place: string): void {
    if (this.#faults.delete(place)) this.#log.info("the store's fault is over", { place });
  }

  /** What happened once and is over. The others end by themselves. */
  acknowledge(): boolean {
    const past = ["database", "segment"].filter((place) => this.#faults.delete(place));
    if (past.length > 0) this.#log.info("faults of the store are acknowledged", { places: past });
    return past.length > 0;
  }

  has(place: string): boolean {
    return this.#faults.has(place);
  }

  list(): readonly StoreFault[] {
    return [...this.#faults.values()];
  }
}
