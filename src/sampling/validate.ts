import type { Channel } from "../core/device.ts";
import { GatewayError } from "../core/errors.ts";
import type { Sample, Value } from "../core/reading.ts";

export interface Validated {
  /** What may be published. */
  readonly sample: Sample;
  /** What the chip cannot have measured: a fault of the device, never a number. */
  readonly fault?: GatewayError;
  /** The keys of what was taken out. */
  readonly refused?: readonly string[];
}

/** Takes out every value that is not a value of its channel: unknown, not finite, or outside what the chip can measure. */
export function validate(sample: Sample, channels: readonly Channel[]): Validated {
  const byKey = new Map(channels.map((channel) => [channel.key, channel]));
  const values: Record<string, Value> = {};
  const refused = new Map<string, Value>();
  for (const [key, value] of Object.entries(sample.values)) {
    if (isValueOf(byKey.get(key), value)) values[key] = value;
    else refused.set(key, value);
  }
  if (refused.size === 0) return { sample };
  const said = [...refused].map(([key, value]) => `${key} = ${value}`);
  const fault = new GatewayError("BAD_VALUE", `outside what the device can measure: ${said.join(", ")}`);
  return { sample: { ...sample, values }, fault, refused: [...refused.keys()] };
}

function isValueOf(channel: Channel | undefined, value: Value): boolean {
  if (!channel) return false;
  if (typeof value !== "number") return true;
  if (!Number.isFinite(value)) return false;
  return value >= (channel.min ?? -Infinity) && value <= (channel.max ?? Infinity);
}
