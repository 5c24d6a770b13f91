import type { Channel } from "../core/device.ts";
import type { Sample, Value } from "../core/reading.ts";

/** Numbers to their channel's decimals: what is beyond them is noise, and noise neither compresses nor reads well. */
export function roundSample(sample: Sample, channels: readonly Channel[]): Sample {
  const decimals = new Map(channels.map((channel) => [channel.key, channel.decimals]));
  const values = Object.entries(sample.values).map(([key, value]): [string, Value] => {
    return [key, typeof value === "number" ? roundTo(value, decimals.get(key) ?? 6) : value];
  });
  return { ...sample, values: Object.fromEntries(values) };
}

/** Half away from zero at the last decimal; never `-0`. */
export function roundTo(value: number, decimals: number): number {
  const rounded = Number(value.toFixed(decimals));
  return rounded === 0 ? 0 : rounded;
}
