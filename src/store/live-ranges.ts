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

  /** Removes what of `from` to `to` is there; returns how many that were. */
  remove(from: number, to: number): number {
    const first = this.#ranges[0];
    if (!first || to < first.from) return 0;
    const kept: Range[] = [];
    for (const range of this.#ranges) {
      if (range.to < from || range.from > to) {
        kept.push(range);
        continue;
      }
      if (range.from < from) kept.push({ from: range.from, to: from - 1 });
      if (range.to > to) kept.push({ from: to + 1, to: range.to });
    }
    const before = this.#total;
    this.#ranges = kept;
    this.#total = kept.reduce((sum, range) => sum + size(range), 0);
    return before - this.#total;
  }

  has(position: number): boolean {
    return this.#ranges.some((range) => range.from <= position && position <= range.to);
  }

  /** The lowest one above `position`. */
  next(position: number): number | undefined {
    const range = this.#ranges.find((candidate) => candidate.to > position);
    return range && Math.max(range.from, position + 1);
  }

  /** What is in both. */
  intersect(other: LiveRanges): LiveRanges {
    const common: Range[] = [];
    for (const a of this.#ranges) {
      for (const b of other.#ranges) {
        const both = { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) };
        if (both.from <= both.to) common.push(both);
      }
    }
    return LiveRanges.of(common);
  }

  toArray(): readonly Range[] {
    return this.#ranges;
  }

  #append(range: Range): void {
    const last = this.#ranges.at(-1);
    if (last && range.from <= last.to) throw new Error(`position ${range.from} is not above ${last.to}`);
    if (last && range.from === last.to + 1) this.#ranges[this.#ranges.length - 1] = { from: last.from, to: range.to };
    else this.#ranges.push(range);
    this.#total += size(range);
  }
}

function size({ from, to }: Range): number {
  return to - from + 1;
}
