export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Which positions still wait for delivery: a sorted list of ranges. A handful of them as a rule (one an epoch, one more
 * for each hole that a dropped record leaves), however many records wait.
 */
export class LiveRanges {
  #ranges: Range[] = [];
  #total = 0;

  static of(ranges: Iterable<Range>): LiveRanges {
    const live = new LiveRanges();
    for (const range of [...ranges].sort((a, b) => a.from - b.from)) live.#append(range);
    return live;
  }

  /** How many positions. */
  get total(): number {
    return this.#total;
  }

  get first(): number | undefined {
    return this.#ranges[0]?.from;
  }

  /** Adds a position above all others. */
  push(position: number): void {
    this.#append({ from: position, to: position });
  }

  /** Removes what of `from` to `to` is there, and returns it. */
  take(from: number, to: number): Range[] {
    const first = this.#ranges[0];
    if (!first || to < first.from) return [];
    const kept: Range[] = [];
    const taken: Range[] = [];
    for (const range of this.#ranges) {
      if (range.to < from || range.from > to) {
        kept.push(range);
        continue;
      }
      if (range.from < from) kept.push({ from: range.from, to: from - 1 });
      if (range.to > to) kept.push({ from: to + 1, to: range.to });
      taken.push({ from: Math.max(range.from, from), to: Math.min(range.to, to) });
    }
    this.#ranges = kept;
    this.#total -= sizeOf(taken);
    return taken;
  }

  /** Removes what of `from` to `to` is there; returns how many that were. */
  remove(from: number, to: number): number {
    return sizeOf(this.take(from, to));
  }

  has(position: number): boolean {
    return this.#ranges.some((range) => range.from <= position && position <= range.to);
  }

  /** The lowest one above `position`. */
  next(position: number): number | undefined {
    const range = this.#ranges.find((candidate) => candidate.to > position);
    return range && Math.max(range.from, position + 1);
  }

  toArray(): readonly Range[] {
    return this.#ranges;
  }

  #append(range: Range): void {
    const last = this.#ranges.at(-1);
    if (last && range.from <= last.to) throw new Error(`position ${range.from} is not above ${last.to}`);
    if (last && range.from === last.to + 1) this.#ranges[this.#ranges.length - 1] = { from: last.from, to: range.to };
    else this.#ranges.push(range);
    this.#total += range.to - range.from + 1;
  }
}

/** How many positions are in ranges that do not overlap. */
export function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
