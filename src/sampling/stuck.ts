import type { Sample } from "../core/reading.ts";

/** How long a channel has given one value. */
interface Run {
  readonly value: number;
  readonly sinceMs: number;
  readonly reads: number;
}

export type Runs = ReadonlyMap<string, Run>;

/** A device that is seldom read must not count as stuck for the few looks that there were. */
const LEAST_READS = 20;

/** The runs after one more sample. A value at the end of the range, `saturated`, may stand still there: that is no run. */
export function continued(runs: Runs, { values, quality }: Sample, nowMs: number): Runs {
  const next = new Map(runs);
  for (const [key, value] of Object.entries(values)) {
    const run = runs.get(key);
    if (typeof value !== "number" || quality?.[key] === "saturated") next.delete(key);
    else if (run?.value === value) next.set(key, { ...run, reads: run.reads + 1 });
    else next.set(key, { value, sinceMs: nowMs, reads: 1 });
  }
  return next;
}

/** Has it stood still for longer than a sound sensor can? */
export function isStuck(run: Run | undefined, afterMs: number | undefined, nowMs: number): boolean {
  return run !== undefined && afterMs !== undefined && run.reads >= LEAST_READS && nowMs - run.sinceMs >= afterMs;
}
