import type { Step, StepInput, StepName, StepResult, StepSettings } from "../step.ts";
import { aggregate } from "./aggregate.ts";
import { calibrate, clamp, formula, round } from "./correct.ts";
import { derive } from "./derive.ts";
import { range, spike } from "./reject.ts";
import { exponential, mean, median } from "./smooth.ts";
import { deadband, throttle } from "./thin.ts";

// Each takes its own settings and state, which only this file cannot say in types.
// biome-ignore lint/suspicious/noExplicitAny: a table of steps whose states differ
const steps: Readonly<Record<StepName, Step<any, any>>> = {
  calibrate,
  median,
  mean,
  exponential,
  round,
  clamp,
  range,
  spike,
  deadband,
  throttle,
  aggregate,
  derive,
  formula,
};

/** What a step remembers: JSON, known to nobody but the step. */
export type StepState = unknown;

export function initialState({ step }: StepSettings): StepState {
  return steps[step].initial;
}

export function stateAfterBoot({ step }: StepSettings, state: StepState): StepState {
  return steps[step].afterBoot ? steps[step].afterBoot(state) : state;
}

export function applyStep(settings: StepSettings, state: StepState, input: StepInput): StepResult<StepState> {
  return steps[settings.step].apply(settings, state, input);
}
