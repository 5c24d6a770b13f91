import type { Channel } from "./device.ts";
import type { Value } from "./reading.ts";

/**
 * Rounded to the channel's decimals: what is beyond them is noise, and noise neither compresses nor reads well. Never
 * `-0`. What is no number, or of a channel that is gone, stays as it is.
 */
export function rounded(value: Value, channel: Channel | undefined): Value {
  if (typeof value !== "number" || !channel) return value;
  const result = Number(value.toFixed(channel.decimals));
  return Object.is(result, -0) ? 0 : result;
}
