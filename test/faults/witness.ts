import { expect } from "vitest";

/** Everything that arrived, in the order in which it did, kept apart from the gateway: its own account of what came. */
export class Witness {
  readonly #arrivals: number[] = [];
  readonly #seen = new Set<number>();

  /** The payload of a message on `readings`. */
  take(payload: string): void {
    const { seq } = JSON.parse(payload) as { readonly seq: number };
    this.#arrivals.push(seq);
    this.#seen.add(seq);
  }

  get distinct(): number {
    return this.#seen.size;
  }

  get duplicates(): number {
    return this.#arrivals.length - this.#seen.size;
  }

  /** 1 to `count` but for `without`, each for the first time after those before it. */
  expectAllInOrder(count: number, without: ReadonlySet<number> = new Set()): void {
    const expected = Array.from({ length: count }, (_, index) => index + 1).filter((seq) => !without.has(seq));
    expect(this.#seen.size).toBe(expected.length);
    expect([...this.#seen]).toEqual(expected);
  }
}
