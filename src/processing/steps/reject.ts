import type { SettingsOf, Step } from "../step.ts";

export const range: Step<SettingsOf<"range">, null> = {
  initial: null,
  apply({ min = -Infinity, max = Infinity }, state, { value }) {
    return value >= min && value <= max ? { state, value } : { state, rejected: true };
  },
};

interface Level {
  readonly kept: number;
  /** Values in a row that were too far from it, the newest last. */
  readonly odd: readonly number[];
}

/**
 * A value too far from the last one kept is a spike, until as many in a row as `confirm` says agree with each other:
 * then the world has changed.
 */
export const spike: Step<SettingsOf<"spike">, Level | null> = {
  initial: null,
  apply({ change, confirm }, state, { value }) {
    const kept = { state: { kept: value, odd: [] }, value };
    if (!state || Math.abs(value - state.kept) <= change) return kept;
    const odd = [...state.odd, value].slice(-confirm);
    const agree = odd.length >= confirm && Math.max(...odd) - Math.min(...odd) <= change;
    return agree ? kept : { state: { kept: state.kept, odd }, rejected: true };
  },
};
