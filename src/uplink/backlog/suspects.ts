import type { LinkEnd, Publication } from "../link.ts";
import { canBeTheMessage } from "./verdict.ts";

/** A message that the broker drops the link for is tried so often. */
const TRIES = 3;
/** So long a connection must have lasted before the last try, to see that it does not break of itself. */
export const PROBATION_MS = 2000;

type Named = Pick<Publication, "topic" | "id">;

/**
 * Which messages may be the reason why the broker drops the link: those that were under way when it did. Each of them
 * then goes alone. One that was under way alone at the third time is guilty, and the last try counts only on a link that
 * had held for a while; a link that broke before it was even sent clears it.
 */
export class Suspects {
  /** How often the link was dropped while it was under way. */
  readonly #drops = new Map<string, number>();

  /** Who is suspected goes alone. */
  has(message: Named): boolean {
    return this.#drops.size > 0 && this.#drops.has(keyOf(message));
  }

  /** The next drop would be its end. */
  isOnProbation(message: Named): boolean {
    return this.#drops.size > 0 && (this.#drops.get(keyOf(message)) ?? 0) >= TRIES - 1;
  }

  acquit(message: Named): void {
    if (this.#drops.size > 0) this.#drops.delete(keyOf(message));
  }

  /** Takes note of the end of a connection; returns the message that is to blame, once that is certain. */
  ended({ byBroker, code, unanswered = [] }: LinkEnd): Publication | undefined {
    if (!byBroker || !canBeTheMessage(code)) return undefined;
    const underWay = new Set(unanswered.map(keyOf));
    for (const [key, drops] of this.#drops) if (drops >= TRIES - 1 && !underWay.has(key)) this.#drops.delete(key);
    for (const key of underWay) this.#drops.set(key, (this.#drops.get(key) ?? 0) + 1);
    const [first, second] = unanswered;
    if (!first || second || (this.#drops.get(keyOf(first)) ?? 0) < TRIES) return undefined;
    this.#drops.delete(keyOf(first));
    return first;
  }
}

function keyOf({ topic, id }: Named): string {
  return id === undefined ? topic : `${topic}#${id}`;
}
