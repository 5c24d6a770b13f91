import { z } from "zod";
import { formatDurationMs, parseDurationMs } from "../core/duration.ts";

/** Options that several drivers share, so that a pin or a duration is written the same way everywhere. */

/** A BCM number. The header carries 2 to 27; compute modules bring out the rest. */
export function boardPin() {
  return z.int().min(0).max(53);
}

/** A BCM number, or a pin of an expander by its device's id. */
export function pinNumber() {
  const ofExpander = z.strictObject({ expander: z.string().min(1).max(64), pin: z.int().min(0).max(15) });
  return z.union([boardPin(), ofExpander]).meta({ title: "0 to 53, or `{ expander: ID, pin: 0 }`" });
}

/** A duration such as `50ms`, `10m` or `24h` in the configuration; milliseconds in the driver. Default with `.prefault("50ms")`. */
export function durationMs(range: { readonly minMs?: number; readonly maxMs: number }) {
  const { minMs = 0, maxMs } = range;
  const parse = (written: string | number, context: z.RefinementCtx) => {
    const ms = parseDurationMs(String(written));
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const message =
      ms === undefined
        ? "expected a duration with its unit, such as 500ms, 30s, 10m or 24h"
        : `expected a duration from ${formatDurationMs(minMs)} to ${formatDurationMs(maxMs)}`;
    context.issues.push({ code: "custom", message, input: written });
    return z.NEVER;
  };
  // Numbers are let in so that one without its unit gets this message.
  return z.union([z.string(), z.number()]).transform(parse).meta({ title: "duration" });
}

/** `on` or `off`, which YAML 1.1 habits write as a boolean too. Default with `.prefault("off")`. */
export function onOff() {
  const written = z.literal(["on", "off", true, false]);
  return written.transform((state) => state === "on" || state === true).meta({ title: "on or off" });
}

export function pinPull() {
  return z.enum(["up", "down", "off"]);
}
