import type { Stamp } from "../core/reading.ts";
import type { Range } from "./live-ranges.ts";
import type { EpochRow } from "./segments.ts";

/** Readings that will not come: dropped, set aside, refused or lost. */
export interface Gap {
  readonly id: number;
  readonly epoch: number;
  /** First `seq`. Absent where readings were refused before they had one. */
  readonly from?: number;
  /**
   * Last `seq`. Absent with `from` present (a power cut): everything after it is in doubt, and so are later epochs that a
   * failing disk never took, which end without a word of their own.
   */
  readonly to?: number;
  /** How many are known to be missing. */
  readonly count: number;
  /** As in the counters. */
  readonly reason: string;
  /** When the first and the last of them were sampled, where that is known. */
  readonly since?: Stamp;
  readonly until?: Stamp;
  /** Only this consumer has not got them. */
  readonly destination?: string;
}

export type NewGap = Omit<Gap, "id">;

/** A broker that is never there must not fill the store with the news of what was dropped. */
const MAX_GAPS = 1000;

/** Gaps that nobody has been told of, oldest first. */
export class GapList {
  readonly #gaps = new Map<number, Gap>();
  /** The newest gap of each kind, by `kindOf`. */
  readonly #newest = new Map<string, number>();
  #lastId = 0;

  constructor(gaps: readonly Gap[]) {
    for (const gap of gaps) {
      this.#put(gap);
      this.#lastId = Math.max(this.#lastId, gap.id);
    }
  }

  /** A gap that goes on where the last one of its kind ends makes that one longer. */
  add(gap: NewGap): void {
    const last = this.#gaps.get(this.#newest.get(kindOf(gap)) ?? 0);
    if (last && continues(last, gap)) {
      this.#put({ ...united(last, gap), id: last.id });
      return;
    }
    this.#lastId += 1;
    this.#put({ ...gap, id: this.#lastId });
    if (this.#gaps.size > MAX_GAPS) this.#uniteOldest();
  }

  /** Forgets a gap that was told; one that grew meanwhile stays. */
  acknowledge({ id, count }: Gap): void {
    if (this.#gaps.get(id)?.count === count) this.#gaps.delete(id);
  }

  /** The epoch has another number. */
  renumber(from: number, to: number): void {
    const gaps = this.toArray().map((gap) => (gap.epoch === from ? { ...gap, epoch: to } : gap));
    this.#newest.clear();
    for (const gap of gaps) this.#put(gap);
  }

  toArray(): readonly Gap[] {
    return [...this.#gaps.values()];
  }

  #put(gap: Gap): void {
    this.#gaps.set(gap.id, gap);
    this.#newest.set(kindOf(gap), gap.id);
  }

  /** The oldest becomes a part of the next one of its kind; where there is none, it is forgotten. */
  #uniteOldest(): void {
    const [oldest, ...rest] = this.#gaps.values();
    if (!oldest) return;
    this.#gaps.delete(oldest.id);
    const next = rest.find((gap) => kindOf(gap) === kindOf(oldest));
    if (next) this.#gaps.set(next.id, { ...united(oldest, next), id: next.id });
  }
}

function kindOf({ epoch, reason, destination = "", from, to }: NewGap): string {
  return `${epoch} ${reason} ${destination} ${from === undefined} ${to === undefined}`;
}

/** Of one kind they are. */
function continues(last: Gap, next: NewGap): boolean {
  return last.to === undefined ? last.from === undefined : next.from === last.to + 1;
}

function united(first: NewGap, second: NewGap): NewGap {
  const { to, until } = second;
  return {
    ...first,
    count: first.count + second.count,
    ...(to !== undefined && { to }),
    ...(until !== undefined && { until }),
  };
}

/** Positions, by epoch and seq. */
export function seqRanges({ from, to }: Range, epochs: readonly EpochRow[]): Array<Range & { readonly epoch: number }> {
  return epochs.flatMap(({ epoch, base }, index) => {
    const end = epochs[index + 1]?.base ?? Number.POSITIVE_INFINITY;
    const part = { from: Math.max(from, base + 1), to: Math.min(to, end) };
    return part.from <= part.to ? [{ epoch, from: part.from - base, to: part.to - base }] : [];
  });
}
