import type { SettingsOf, Step } from "../step.ts";

/** The last values, oldest first. */
type Window = readonly number[];

export const median: Step<SettingsOf<"median">, Window> = {
  initial: [],
  apply({ count }, state, { value }) {
    const window = [...state, value].slice(-count);
    return { state: window, value: middleOf(window) };
  },
};

export const mean: Step<SettingsOf<"mean">, Window> = {
  initial: [],
  apply({ count }, state, { value }) {
    const window = [...state, value].slice(-count);
    return { state: window, value: meanOf(window) };
  },
};

interface Smoothed {
  readonly value: number;
  /** Absent after a boot: how long ago it was is not known. */
  readonly atMs?: number;
}

/** With a time constant the weight follows from the time between readings, so that a missed one does not slow it down. */
export const exponential: Step<SettingsOf<"exponential">, Smoothed | null> = {
  initial: null,
  apply(settings, state, { value, atMs }) {
    const before = state?.value ?? value;
    const sinceMs = state?.atMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, atMs - state.atMs);
    const weight = "factor" in settings ? settings.factor : 1 - Math.exp(-sinceMs / settings.timeConstantMs);
    const next = before + weight * (value - before);
    return { state: { value: next, atMs }, value: next };
  },
  afterBoot: (state) => state && { value: state.value },
};

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function middleOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
