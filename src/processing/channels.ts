import type { Channel } from "../core/device.ts";
import type { Sample, Value } from "../core/reading.ts";
import { rounded } from "../core/rounding.ts";

/** What the configuration says of one channel. */
export interface ChannelSettings {
  readonly name?: string;
  readonly enabled: boolean;
  readonly decimals?: number;
}

/** The channels that are published, with the names and decimals that the user gave them. */
export function chosenChannels(
  channels: readonly Channel[],
  settings: Readonly<Record<string, ChannelSettings>>,
): Channel[] {
  return channels
    .filter(({ key }) => settings[key]?.enabled !== false)
    .map((channel) => {
      const { name: title = channel.title, decimals = channel.decimals } = settings[channel.key] ?? {};
      return { ...channel, title, decimals };
    });
}

/** The sample's values of these channels, rounded to their decimals. Undefined when none is left. */
export function publishedSample(sample: Sample, channels: readonly Channel[]): Sample | undefined {
  const values = channels.flatMap((channel): [string, Value][] => {
    const value = sample.values[channel.key];
    return value === undefined ? [] : [[channel.key, rounded(value, channel)]];
  });
  return values.length > 0 ? { ...sample, values: Object.fromEntries(values) } : undefined;
}
