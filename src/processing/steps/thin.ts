import type { SettingsOf, Step } from "../step.ts";

interface Kept {
  readonly value: number;
  /** Absent after a boot. */
  readonly atMs?: number;
}

export const deadband: Step<SettingsOf<"deadband">, Kept | null> = {
  initial: null,
  apply({ change, atLeastEveryMs }, state, { value, atMs }) {
    const isDue = state?.atMs === undefined || atMs - state.atMs >= (atLeastEveryMs ?? Number.POSITIVE_INFINITY);
    if (state && !isDue && Math.abs(value - state.value) < change) return { state };
    return { state: { value, atMs }, value };
  },
  afterBoot: (state) => state && { value: state.value },
};

/** When the last one went through; absent after a boot. */
type LastMs = number | null;

export const throttle: Step<SettingsOf<"throttle">, LastMs> = {
  initial: null,
  apply({ everyMs }, state, { value, atMs }) {
    return state !== null && atMs - state < everyMs ? { state } : { state: atMs, value };
  },
  afterBoot: () => null,
};
