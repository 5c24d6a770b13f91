import { z } from "zod";
import { parseExpression } from "../../processing/expression/parse.ts";
import { ExpressionError } from "../../processing/expression/syntax.ts";
import { type RateUnit, rateUnits, type StepSettings, statistics } from "../../processing/step.ts";
import { present } from "../present.ts";
import { count, duration } from "./scalars.ts";

const MAX_STEPS = 16;
const MAX_POINTS = 64;

const number = () => z.number();
const positive = () => z.number().positive();

/** What a zod step gives, so that a misspelt one does not get past the compiler. */
const step = (settings: StepSettings): StepSettings => settings;

export function formulaText() {
  return z.string().transform((text, context) => {
    try {
      return parseExpression(text);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const message = `${error.message} (character ${error.at + 1})`;
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    }
  });
}

const points = z
  .array(z.tuple([number(), number()]))
  .min(2)
  .max(MAX_POINTS)
  .refine((list) => list.every(([raw], index) => index === 0 || raw > (list[index - 1]?.[0] ?? raw)), {
    error: "the sensor's values must rise from point to point",
  })
  .describe("`[what the sensor says, what is true]`, straight lines between and beyond");

const bounds = z
  .strictObject({
    min: number().optional().describe("The lowest, if there is one"),
    max: number().optional().describe("The highest, if there is one"),
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { error: "expected `min`, `max` or both" })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, { error: "`min` is above `max`" })
  .transform(present);

const smoothing = z.union([
  z.number().gt(0).max(1),
  z.strictObject({
    time_constant: duration({ minMs: 100 }).describe("After this long, 63 % of a change has come through"),
  }),
]);

const spikeLimits = z.union([
  positive().transform((change) => ({ change, confirm: 3 })),
  z.strictObject({
    change: positive().describe("More than this from the last value kept is a spike"),
    confirm: count(2, 99).default(3).describe("As many in a row that agree with each other are none"),
  }),
]);

const window = duration({ minMs: 1000 });
const aggregation = z.union([
  window.transform((windowMs) => ({ windowMs, give: ["mean" as const] })),
  z
    .strictObject({
      window: window.describe("How long is gathered"),
      give: z
        .array(z.enum(statistics))
        .min(1)
        .max(statistics.length)
        .default(["mean"])
        .describe("The first takes the channel's place, the others become channels of their own, such as `KEY_max`"),
    })
    .transform(({ window: windowMs, give }) => ({ windowMs, give: [...new Set(give)] })),
]);

const rateUnitNames = Object.keys(rateUnits) as [RateUnit, ...RateUnit[]];

/** Steps that a channel's values go through, in order: each a mapping with the step's name. */
export const processingSteps = z
  .array(
    z.union([
      z
        .strictObject({
          calibrate: z
            .strictObject({
              points: points.optional(),
              scale: number().default(1).describe("Multiplied by this"),
              offset: number().default(0).describe("Then this is added"),
              adjustable: positive()
                .optional()
                .describe("Home Assistant gets a number that changes the offset, by up to so much either way"),
            })
            .refine(({ offset, adjustable }) => adjustable === undefined || Math.abs(offset) <= adjustable, {
              error: "`offset` is beyond `adjustable`",
              path: ["offset"],
            })
            .describe("Correct the value: along `points` first, then `scale`, then `offset`"),
        })
        .transform(({ calibrate }) => step({ step: "calibrate", ...present(calibrate) })),
      z
        .strictObject({ median: count(3, 99).describe("Median of the last values: takes outliers away") })
        .transform(({ median }) => step({ step: "median", count: median })),
      z
        .strictObject({ mean: count(2, 999).describe("Mean of the last values") })
        .transform(({ mean }) => step({ step: "mean", count: mean })),
      z
        .strictObject({
          exponential: smoothing.describe("Smooth: the weight of a new value (0 to 1), or a time constant"),
        })
        .transform(({ exponential }) =>
          typeof exponential === "number"
            ? step({ step: "exponential", factor: exponential })
            : step({ step: "exponential", timeConstantMs: exponential.time_constant }),
        ),
      z
        .strictObject({ round: count(0, 9).describe("Decimals to keep") })
        .transform(({ round }) => step({ step: "round", decimals: round })),
      z
        .strictObject({ clamp: bounds.describe("Hold the value within these bounds") })
        .transform(({ clamp }) => step({ step: "clamp", ...clamp })),
      z
        .strictObject({ range: bounds.describe("Reject a value outside these bounds") })
        .transform(({ range }) => step({ step: "range", ...range })),
      z
        .strictObject({
          spike: spikeLimits.describe("Reject a value that jumps further than this, unless it stays there"),
        })
        .transform(({ spike }) => step({ step: "spike", ...spike })),
      z
        .strictObject({
          deadband: z
            .number()
            .nonnegative()
            .describe("Drop a value that differs less than this from the last one kept"),
          at_least_every: duration({ minMs: 1000 }).optional().describe("Keep one this often even so"),
        })
        .transform(({ deadband, at_least_every }) =>
          step({ step: "deadband", change: deadband, ...present({ atLeastEveryMs: at_least_every }) }),
        ),
      z
        .strictObject({ throttle: duration({ minMs: 1000 }).describe("Let one value through in this time") })
        .transform(({ throttle }) => step({ step: "throttle", everyMs: throttle })),
      z
        .strictObject({
          aggregate: aggregation.describe("One value for each window of this length: its mean, or what `give` says"),
        })
        .transform(({ aggregate }) => step({ step: "aggregate", ...aggregate })),
      z
        .strictObject({
          derive: z
            .strictObject({
              per: z.enum(rateUnitNames).default("s").describe("The rate's unit of time"),
              counter: z.boolean().default(false).describe("It only rises: a fall is a reset, and no rate"),
            })
            .describe("Rate of change"),
        })
        .transform(({ derive }) => step({ step: "derive", ...derive })),
      z
        .strictObject({ formula: formulaText().describe("Arithmetic with `value` and the device's other channels") })
        .transform(({ formula }) => step({ step: "formula", expression: formula })),
    ]),
  )
  .max(MAX_STEPS)
  .refine((steps) => steps.filter((one) => one.step === "calibrate" && one.adjustable !== undefined).length <= 1, {
    error: "one of the steps at most can be `adjustable`",
  })
  .describe("Steps that the values go through, in order")
  // With an id it is written once in the JSON Schema.
  .meta({ id: "process" });
