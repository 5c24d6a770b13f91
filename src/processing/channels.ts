import type { Channel, FormerEntity, Offset } from "../core/device.ts";
import { type QuantityName, quantityOf } from "../core/quantity.ts";
import type { Sample, Value } from "../core/reading.ts";
import { rounded } from "../core/rounding.ts";
import type { Plan } from "./process.ts";
import type { Statistic, StepSettings } from "./step.ts";

/** What the configuration says of one channel. */
export interface ChannelSettings {
  readonly name?: string;
  readonly enabled: boolean;
  readonly decimals?: number;
  /** Of one and the same value of the sensor; Infinity where it may stand still. */
  readonly stuckAfterMs?: number;
  readonly process?: readonly StepSettings[];
  readonly entity?: FormerEntity;
}

/** A channel that a formula makes of others. */
export interface ComputedChannel {
  readonly plan: Plan["computed"][string];
  readonly quantity: QuantityName;
  readonly title: string;
  readonly unit?: string;
  readonly deviceClass?: string;
  readonly decimals?: number;
  readonly entity?: FormerEntity;
}

export type ChannelsSettings = Readonly<Record<string, ChannelSettings>>;
export type ComputedChannels = Readonly<Record<string, ComputedChannel>>;

export function planOf(settings: ChannelsSettings, computed: ComputedChannels): Plan {
  const channels = Object.entries(settings).flatMap(([key, { process }]) => (process?.length ? [[key, process]] : []));
  return {
    channels: Object.fromEntries(channels),
    computed: Object.fromEntries(Object.entries(computed).map(([key, { plan }]) => [key, plan])),
  };
}

/** A device's channels after its steps: rates have other units, windows give further channels, formulas new ones. */
export function processedChannels(channels: readonly Channel[], plan: Plan, computed: ComputedChannels): Channel[] {
  const own = channels.flatMap((channel) => afterSteps(channel, plan.channels[channel.key] ?? []));
  const made = Object.entries(computed).flatMap(([key, channel]) =>
    afterSteps(computedChannel(key, channel), channel.plan.steps),
  );
  const byKey = new Map([...made, ...own].map((channel) => [channel.key, channel]));
  return [...own, ...made].filter((channel) => byKey.get(channel.key) === channel);
}

function computedChannel(
  key: string,
  { quantity, title, unit, deviceClass, decimals, entity }: ComputedChannel,
): Channel {
  const facts = quantityOf(quantity);
  const shownUnit = unit ?? facts.unit;
  return {
    key,
    title,
    quantity,
    decimals: decimals ?? facts.decimals,
    ...(shownUnit !== undefined && { unit: shownUnit }),
    ...(deviceClass !== undefined && { deviceClass }),
    ...(entity && { entity }),
  };
}

function afterSteps(channel: Channel, steps: readonly StepSettings[]): Channel[] {
  if (quantityOf(channel.quantity).kind !== "number") return [channel];
  let result = channel;
  const extra: Channel[] = [];
  let offset: Offset | undefined;
  for (const settings of steps) {
    if (settings.step === "calibrate" && settings.adjustable !== undefined) {
      offset = offsetAt(result, settings.offset, settings.adjustable);
    }
    if (settings.step === "derive") result = rateOf(result, settings.per);
    if (settings.step === "aggregate") {
      const [first, ...others] = settings.give;
      extra.push(...others.map((name) => statisticOf(result, name)));
      if (first === "count") result = { ...countOf(result), key: channel.key };
    }
  }
  return [offset ? { ...result, offset } : result, ...extra];
}

function offsetAt({ unit, decimals }: Channel, value: number, limit: number): Offset {
  return { value, limit, decimals, ...(unit !== undefined && { unit }) };
}

/** A rate is of no class that its total has: litres are water, litres a minute a flow. */
function rateOf({ key, title, unit, decimals, diagnostic, entity }: Channel, per: string): Channel {
  const rate = unit === undefined ? `1/${per}` : `${unit}/${per}`;
  return {
    key,
    title,
    quantity: "number",
    unit: rate,
    decimals: Math.max(decimals, 3),
    ...(diagnostic && { diagnostic }),
    ...(entity && { entity }),
  };
}

const statisticTitles: Readonly<Record<Statistic, string>> = {
  mean: "mean",
  min: "minimum",
  max: "maximum",
  count: "count",
};

function statisticOf(channel: Channel, name: Statistic): Channel {
  const { entity: _, ...facts } = name === "count" ? countOf(channel) : channel;
  return { ...facts, key: `${channel.key}_${name}`, title: `${channel.title} ${statisticTitles[name]}` };
}

function countOf({ key, title, diagnostic, entity }: Channel): Channel {
  return { key, title, quantity: "number", decimals: 0, ...(diagnostic && { diagnostic }), ...(entity && { entity }) };
}

/** Keyboards have the micro sign (U+00B5), Home Assistant's units the Greek letter (U+03BC): with the other it warns. */
function spelt(unit: string): string {
  return unit.replaceAll("\u00b5", "\u03bc");
}

/** The channels that are published, with the names and decimals that the user gave them. */
export function chosenChannels(channels: readonly Channel[], settings: ChannelsSettings): Channel[] {
  return channels
    .filter(({ key }) => settings[key]?.enabled !== false)
    .map((channel) => {
      const { name: title = channel.title, decimals = channel.decimals, entity } = settings[channel.key] ?? {};
      const { unit } = channel;
      return {
        ...channel,
        title,
        decimals,
        ...(unit !== undefined && { unit: spelt(unit) }),
        ...(entity && { entity }),
      };
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
