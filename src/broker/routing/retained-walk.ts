import type { Message } from "../message.ts";

export interface RetainedEntry {
  readonly message: Message;
  readonly bytes: number;
  readonly sequence: number;
}

/** A level of the topics that have a retained message. */
export interface RetainedNode {
  /** Undefined where nothing is below, as with most: an empty map takes more than all the rest of the node. */
  children: Map<string, RetainedNode> | undefined;
  entry: RetainedEntry | undefined;
}

/** A level that is being gone through. */
interface Open {
  readonly children: Iterator<[string, RetainedNode]>;
  /** Which level of the filter they have to match. */
  readonly depth: number;
  readonly withoutDollar: boolean;
}

/**
 * The entries that match a filter, one after the other and only so far at once: what is asked for may be nowhere among
 * a hundred thousand topics, and others wait. Entries are read as it goes.
 */
export class RetainedWalk {
  readonly #filter: readonly string[];
  readonly #open: Open[] = [];
  #found: RetainedEntry | undefined;

  constructor(root: RetainedNode, filter: string) {
    this.#filter = filter.split("/");
    this.#enter(root, 0, true);
  }

  /** The next entry; "later" when the budget is used up before there was one; undefined at the end. */
  next(budget: Budget): RetainedEntry | "later" | undefined {
    for (;;) {
      const found = this.#found;
      this.#found = undefined;
      if (found !== undefined) return found;
      const open = this.#open.at(-1);
      if (open === undefined) return undefined;
      if (budget.levels-- <= 0) return "later";
      const { value, done } = open.children.next();
      if (done) this.#open.pop();
      // `$` topics are not meant by a filter that begins with a wildcard [MQTT-4.7.2-1].
      else if (!(open.withoutDollar && value[0].startsWith("$"))) this.#enter(value[1], open.depth, false);
    }
  }

  #enter(from: RetainedNode, fromDepth: number, isRoot: boolean): void {
    let node: RetainedNode | undefined = from;
    for (let depth = fromDepth; node !== undefined; depth++) {
      const level = this.#filter[depth];
      if (level === undefined || level === "#") this.#found = node.entry; // `#` takes its parent too
      if (level === "#" || level === "+") this.#push(node, level === "#" ? depth : depth + 1, isRoot && depth === 0);
      if (level === undefined || level === "#" || level === "+") return;
      node = node.children?.get(level);
    }
  }

  #push({ children }: RetainedNode, depth: number, withoutDollar: boolean): void {
    if (children) this.#open.push({ children: children.entries(), depth, withoutDollar });
  }
}

/** How many levels may still be looked at. */
export interface Budget {
  levels: number;
}
