import type { Channel } from "../core/device.ts";
import { GatewayError } from "../core/errors.ts";
import type { Sample, Value } from "../core/reading.ts";

export interface Validated {
  /** What may be published. */
  readonly sample: Sample;
  /** What the chip cannot have measured: a fault of the device, never a number. */
  readonly fault?: GatewayError;
}

/** Takes out every value that is not a value of its channel: unknown, not finite, or outside what the chip can measure. */
export function validate(sample: Sample, channels: readonly Channel[]): Validated {
  const byKey = new Map(channels.map((channel) => [channel.key, channel]));
  const values: Record<string, Value> = {};
  const refused: string[] = [];
  for (const [key, value] of Object.entries(sample.values)) {
    if (isValueOf(byKey.get(key), value)) values[key] = value;
    else refused.push(`${key} = ${value}`);
  }
  if (refused.length === 0) return { sample };
  const fault = new GatewayError("BAD_VALUE", `outside what the device can measure: ${refused.join(", ")}`);
  return { sample: { ...sample, values }, fault };
}

function isValueOf(channel: Channel | undefined, value: Value): boolean {
  if (!channel) return false;
  if (typeof value !== "number") return true;
  if (!Number.isFinite(value)) return false;
  return value >= (channel.min ?? -Infinity) && value <= (channel.max ?? Infinity);
}
