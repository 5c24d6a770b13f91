import { z } from "zod";
import { count, duration } from "./scalars.ts";

/** Steps that a channel's values go through, in order: each a mapping with the step's name. */
export const processingSteps = z
  .array(
    z.union([
      z.strictObject({
        calibrate: z
          .strictObject({
            scale: z.number().default(1).describe("Multiplied by this"),
            offset: z.number().default(0).describe("Then this is added"),
          })
          .describe("Correct the value"),
      }),
      z.strictObject({ median: count(3, 99).describe("Median of the last values: takes outliers away") }),
      z.strictObject({ round: count(0, 9).describe("Decimals to keep") }),
      z.strictObject({
        deadband: z.number().nonnegative().describe("Drop a value that differs less than this from the last one kept"),
        at_least_every: duration({ minMs: 1000 }).optional().describe("Keep one this often even so"),
      }),
    ]),
  )
  .max(16)
  .describe("Steps that the values go through, in order");
