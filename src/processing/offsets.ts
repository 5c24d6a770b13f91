import type { Plan } from "./process.ts";
import type { SettingsOf, StepSettings } from "./step.ts";

/** Channel key -> an offset that was set while it ran, and what the configuration had then: a new one there counts again. */
export type Offsets = Readonly<Record<string, { readonly configured: number; readonly offset: number }>>;

type Adjustable = SettingsOf<"calibrate"> & { readonly adjustable: number };

/** The step of a channel whose offset can be changed. */
export function adjustableStep(steps: readonly StepSettings[] = []): Adjustable | undefined {
  return steps.find((settings): settings is Adjustable => isAdjustable(settings));
}

export function stepsOfChannel({ channels, computed }: Plan, key: string): readonly StepSettings[] | undefined {
  return channels[key] ?? computed[key]?.steps;
}

/** The plan with the offsets that were set in the place of those that it has. */
export function withOffsets(plan: Plan, offsets: Offsets): Plan {
  const adjusted = (key: string, steps: readonly StepSettings[]) =>
    steps.map((settings) =>
      isAdjustable(settings) ? { ...settings, offset: offsetOf(settings, offsets[key]) } : settings,
    );
  return {
    channels: Object.fromEntries(Object.entries(plan.channels).map(([key, steps]) => [key, adjusted(key, steps)])),
    computed: Object.fromEntries(
      Object.entries(plan.computed).map(([key, made]) => [key, { ...made, steps: adjusted(key, made.steps) }]),
    ),
  };
}

function offsetOf({ offset, adjustable }: Adjustable, set: Offsets[string] | undefined): number {
  return set?.configured === offset && Math.abs(set.offset) <= adjustable ? set.offset : offset;
}

function isAdjustable(settings: StepSettings): settings is Adjustable {
  return settings.step === "calibrate" && settings.adjustable !== undefined;
}
