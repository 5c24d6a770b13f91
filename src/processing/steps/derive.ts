import { rateUnits, type SettingsOf, type Step } from "../step.ts";

interface Earlier {
  readonly value: number;
  readonly atMs: number;
}

/** Change per unit of time since the value before. A counter that went down was reset: no rate can be told then. */
export const derive: Step<SettingsOf<"derive">, Earlier | null> = {
  initial: null,
  apply({ per, counter }, state, { value, atMs }) {
    const next = { value, atMs };
    if (!state || atMs <= state.atMs || (counter && value < state.value)) return { state: next };
    return { state: next, value: ((value - state.value) / (atMs - state.atMs)) * rateUnits[per] };
  },
  afterBoot: () => null,
};
