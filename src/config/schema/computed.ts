import { z } from "zod";
import { type QuantityName, quantities } from "../../core/quantity.ts";
import type { ComputedChannel } from "../../processing/channels.ts";
import { functions } from "../../processing/expression/functions.ts";
import type { Expression } from "../../processing/expression/syntax.ts";
import { present } from "../present.ts";
import { formerEntity } from "./entity.ts";
import { formulaText, processingSteps } from "./processing.ts";
import { count, text } from "./scalars.ts";

const CHANNEL_KEY = /^[a-z][a-z0-9_]{0,63}$/;
const MAX_COMPUTED = 32;

const numeric = (Object.keys(quantities) as QuantityName[]).filter((name) => quantities[name].kind === "number");

const computedSettings = z
  .strictObject({
    formula: formulaText().describe(
      "Arithmetic with the device's channels, such as `dew_point(temperature, humidity)`",
    ),
    name: text(64).optional().describe("Name for people, without the device's name"),
    quantity: z
      .enum(numeric as [QuantityName, ...QuantityName[]])
      .optional()
      .describe("What it is; by default what the function gives, else a plain number"),
    unit: text(16).optional().describe("Its unit, where it is not the quantity's own"),
    decimals: count(0, 9).optional().describe("Decimals in what is published"),
    process: processingSteps.optional(),
    home_assistant: formerEntity.optional(),
  })
  .transform(present)
  .meta({ id: "computed" });

/** Channel key -> formula. */
export const computedChannels = z
  .record(z.string(), computedSettings)
  .superRefine((channels, context) => {
    const keys = Object.keys(channels);
    if (keys.length > MAX_COMPUTED) context.addIssue({ code: "custom", message: `at most ${MAX_COMPUTED} of them` });
    for (const key of keys) {
      if (CHANNEL_KEY.test(key)) continue;
      const message = "expected a channel's key: a to z first, then a to z, 0 to 9 and `_`, at most 64";
      context.addIssue({ code: "custom", message, path: [key] });
    }
  })
  .transform((channels) => Object.fromEntries(Object.entries(channels).map(([key, raw]) => [key, channelOf(key, raw)])))
  .describe("Channels made of the others by formulas");

function channelOf(key: string, raw: z.output<typeof computedSettings>): ComputedChannel {
  const given = resultOf(raw.formula);
  const quantity = raw.quantity ?? given.quantity ?? "number";
  return present({
    plan: { expression: raw.formula, steps: raw.process ?? [] },
    title: raw.name ?? titleOf(key),
    quantity,
    unit: raw.unit ?? (quantity === given.quantity ? given.unit : undefined),
    decimals: raw.decimals,
    entity: raw.home_assistant,
  });
}

/** A formula that is one call of a ready-made function gives what that gives. */
function resultOf(formula: Expression): { quantity?: QuantityName; unit?: string } {
  return (formula.kind === "call" && functions[formula.name]) || {};
}

function titleOf(key: string): string {
  const words = key.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
