import type { SettingsOf, Statistic, Step } from "../step.ts";

interface Gathered {
  /** Absent after a boot. */
  readonly startMs?: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Windows follow each other without a gap, the first from the first value on. One is told by the first value behind it;
 * what the boot before left unfinished is told at once.
 */
export const aggregate: Step<SettingsOf<"aggregate">, Gathered | null> = {
  initial: null,
  apply({ windowMs, give }, state, { value, atMs }) {
    if (state === null) return { state: alone(atMs, value) };
    const { startMs = Number.NEGATIVE_INFINITY } = state;
    if (atMs - startMs < windowMs) return { state: joined(state, value) };
    const behindMs = (atMs - startMs) % windowMs;
    const [first = "mean", ...others] = give;
    const extra = Object.fromEntries(others.map((name) => [name, statisticOf(state, name)]));
    return { state: alone(atMs - (behindMs || 0), value), value: statisticOf(state, first), extra };
  },
  afterBoot(state) {
    if (state === null) return null;
    const { startMs: _, ...gathered } = state;
    return gathered;
  },
};

function alone(startMs: number, value: number): Gathered {
  return { startMs, count: 1, sum: value, min: value, max: value };
}

function joined(state: Gathered, value: number): Gathered {
  const { count, sum, min, max } = state;
  return { ...state, count: count + 1, sum: sum + value, min: Math.min(min, value), max: Math.max(max, value) };
}

function statisticOf({ count, sum, min, max }: Gathered, name: Statistic): number {
  return { mean: sum / count, min, max, count }[name];
}
