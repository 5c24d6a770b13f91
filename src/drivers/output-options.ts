import { z } from "zod";
import { durationMs } from "./options.ts";

const WEEK_MS = 7 * 86_400_000;

/** A duration of an output: up to a week. */
export function upToWeek(minMs: number) {
  return durationMs({ minMs, maxMs: WEEK_MS });
}

/** What outputs of every kind have. */
export const outputOptions = {
  failsafe_after: upToWeek(1000)
    .optional()
    .describe("Back to the safe state when no controller was heard for this long"),
  max_on: upToWeek(100).optional().describe("The longest time away from the safe state, whatever is commanded"),
  on_for: upToWeek(10).optional().describe("A command that says no time of its own ends after this: a door opener"),
  interlock: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/, { error: "expected a name of a to z, 0 to 9, `_` and `-`" })
    .optional()
    .describe("Name of a group of outputs of which one at a time is away from its safe state"),
  at_start: z.enum(["safe", "restore"]).default("safe").describe("At start: the safe state, or the last commanded one"),
  at_stop: z.enum(["safe", "hold"]).default("safe").describe("At a stop of the service: the safe state, or as it is"),
};

type Common = z.output<z.ZodObject<typeof outputOptions>>;

/** The same as the output takes it. */
export function outputFacts({ at_stop, failsafe_after, interlock, max_on, on_for }: Common) {
  return { atStop: at_stop, failsafeAfterMs: failsafe_after, maxOnMs: max_on, onForMs: on_for, interlock };
}
