import type { Quality, Sample, Value } from "../core/reading.ts";
import { evaluate } from "./expression/evaluate.ts";
import { type Expression, namesIn } from "./expression/syntax.ts";
import type { StepInput, StepName, StepSettings } from "./step.ts";
import { applyStep, initialState, type StepState, stateAfterBoot } from "./steps/steps.ts";

/** What one device's values go through. */
export interface Plan {
  /** Channel key -> its steps, in order. */
  readonly channels: Readonly<Record<string, readonly StepSettings[]>>;
  /** Channels made of others, in the order in which they may refer to each other. */
  readonly computed: Readonly<Record<string, ComputedPlan>>;
}

export interface ComputedPlan {
  readonly expression: Expression;
  readonly steps: readonly StepSettings[];
}

/** What a device's processing remembers. JSON. */
export interface ProcessState {
  readonly boot: string;
  readonly steps: Readonly<Record<string, readonly StepState[]>>;
  /** The newest number of each channel of this boot, for formulas. */
  readonly newest: Readonly<Record<string, number>>;
}

export interface Processed {
  readonly state: ProcessState;
  /** What is left to publish; undefined when nothing is. */
  readonly sample: Sample | undefined;
  readonly rejected: readonly { readonly channel: string; readonly step: StepName; readonly value: number }[];
}

/** The state to begin with: what was kept, carried into this boot, or an empty one. */
export function beginProcessing(plan: Plan, boot: string, kept?: ProcessState): ProcessState {
  if (kept?.boot === boot) return kept;
  const before = kept?.steps ?? {};
  const carried = (key: string, steps: readonly StepSettings[]) =>
    steps.map((step, index) => {
      const state = before[key]?.[index];
      return state === undefined ? initialState(step) : stateAfterBoot(step, state);
    });
  const steps = Object.fromEntries(stepsOf(plan).map(([key, list]) => [key, carried(key, list)]));
  return { boot, steps, newest: {} };
}

/** What rejecting steps remember is forgotten: the next value is taken as the first. */
export function withoutRejections(plan: Plan, state: ProcessState): ProcessState {
  const steps = stepsOf(plan).map(([key, list]) => {
    const states = state.steps[key] ?? [];
    return [
      key,
      states.map((one, index) => (list[index]?.step === "spike" ? initialState(list[index]) : one)),
    ] as const;
  });
  return { ...state, steps: { ...state.steps, ...Object.fromEntries(steps) } };
}

/** Puts a sample through a device's steps: each channel's own, then what is computed of them. Pure. */
export function processSample(plan: Plan, before: ProcessState, sample: Sample, atMs: number): Processed {
  const run = new Run(plan, before, sample, atMs);
  for (const [key, value] of Object.entries(sample.values)) run.channel(key, value);
  for (const [key, computed] of Object.entries(plan.computed)) run.computed(key, computed);
  return run.result();
}

/** One sample on its way through. */
class Run {
  readonly #plan: Plan;
  readonly #atMs: number;
  readonly #sample: Sample;
  readonly #raw: ReadonlyMap<string, number>;
  readonly #steps: Record<string, readonly StepState[]>;
  readonly #newest: Map<string, number>;
  readonly #values = new Map<string, Value>();
  readonly #quality = new Map<string, Quality>();
  readonly #rejected: Processed["rejected"][number][] = [];
  readonly #boot: string;

  constructor(plan: Plan, before: ProcessState, sample: Sample, atMs: number) {
    this.#plan = plan;
    this.#atMs = atMs;
    this.#sample = sample;
    this.#raw = numbersOf(sample.values);
    this.#steps = { ...before.steps };
    this.#newest = new Map(Object.entries(before.newest));
    this.#boot = before.boot;
  }

  channel(key: string, value: Value): void {
    const steps = this.#plan.channels[key] ?? [];
    const quality = this.#sample.quality?.[key];
    if (typeof value === "number") this.#through(key, steps, value, quality);
    else this.#put(key, value, quality); // there is no arithmetic for a contact or a text
  }

  computed(key: string, { expression, steps }: ComputedPlan): void {
    const names = namesIn(expression);
    if (!names.some((name) => this.#values.has(name))) return;
    const value = evaluate(expression, this.#newest);
    if (value === undefined) return;
    const quality = names.map((name) => this.#quality.get(name)).find((known) => known !== undefined);
    this.#through(key, steps, value, quality);
  }

  result(): Processed {
    const sample =
      this.#values.size === 0
        ? undefined
        : {
            values: Object.fromEntries(this.#values),
            ...(this.#quality.size > 0 && { quality: Object.fromEntries(this.#quality) }),
          };
    const state = { boot: this.#boot, steps: this.#steps, newest: Object.fromEntries(this.#newest) };
    return { state, sample, rejected: this.#rejected };
  }

  #through(key: string, steps: readonly StepSettings[], given: number, quality: Quality | undefined): void {
    const states = [...(this.#steps[key] ?? steps.map(initialState))];
    let value: number | undefined = plain(given);
    for (const [index, settings] of steps.entries()) {
      const input: StepInput = { value, atMs: this.#atMs, values: this.#raw };
      const result = applyStep(settings, states[index], input);
      states[index] = result.state;
      if (result.rejected) this.#rejected.push({ channel: key, step: settings.step, value });
      for (const [name, extra] of Object.entries(result.extra ?? {})) this.#put(`${key}_${name}`, extra, quality);
      value = result.value !== undefined && Number.isFinite(result.value) ? plain(result.value) : undefined;
      if (value === undefined) break;
    }
    if (steps.length > 0) this.#steps[key] = states;
    if (value !== undefined) this.#put(key, value, quality);
  }

  #put(key: string, given: Value, quality: Quality | undefined): void {
    const value = typeof given === "number" ? plain(given) : given;
    this.#values.set(key, value);
    if (typeof value === "number") this.#newest.set(key, value);
    if (quality) this.#quality.set(key, quality);
  }
}

/** Never -0, which JSON does not know: a state would come back as another. */
function plain(value: number): number {
  return value + 0;
}

function numbersOf(values: Sample["values"]): Map<string, number> {
  return new Map(Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

function stepsOf({ channels, computed }: Plan): [string, readonly StepSettings[]][] {
  const ofComputed = Object.entries(computed).map(([key, { steps }]): [string, typeof steps] => [key, steps]);
  return [...Object.entries(channels), ...ofComputed].filter(([, steps]) => steps.length > 0);
}
