import { z } from "zod";
import { plannedDriver } from "./driver.ts";
import { durationMs, onOff, pinNumber } from "./options.ts";

const DAY_MS = 86_400_000;

export const digitalOutput = plannedDriver({
  name: "digital-output",
  title: "A GPIO pin that is driven: relays, pumps, valves and lamps",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    safe_state: onOff().prefault("off").describe("The state at start, at stop, and without a controller"),
    failsafe_after: durationMs({ minMs: 1000, maxMs: 7 * DAY_MS })
      .optional()
      .describe("Back to the safe state when no controller was heard for this long"),
    max_on: durationMs({ minMs: 100, maxMs: 7 * DAY_MS })
      .optional()
      .describe("The longest time away from the safe state, whatever is commanded"),
    at_start: z
      .enum(["safe", "restore"])
      .default("safe")
      .describe("At start: the safe state, or the last commanded one"),
    at_stop: z.enum(["safe", "hold"]).default("safe").describe("At a stop of the service: the safe state, or as it is"),
    invert: z.boolean().default(false).describe("`on` drives the pin low: relay boards that switch on a low level"),
    device_class: z.enum(["outlet", "switch"]).optional().describe("What it is to Home Assistant"),
  },
  channels: { state: { quantity: "binary" } },
  timing: { minIntervalMs: 1000, expectedMs: 50 },
});
