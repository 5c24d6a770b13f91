import { z } from "zod";
import type { Channel } from "../core/device.ts";
import { quantityOf } from "../core/quantity.ts";
import { channelsOf, type Driver, isOnI2c } from "./driver.ts";

/** A driver's page, as data: `fieldpost drivers NAME` and the reference print it. */
export interface DriverPage {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly title: string;
  /** Its options are checked, and `run` leaves its devices out. */
  readonly planned: boolean;
  /** `0x76`, the factory's first; none for what is not on I2C. */
  readonly addresses: readonly string[];
  readonly options: readonly OptionRow[];
  /** Empty where they are found when the device opens. */
  readonly channels: readonly ChannelRow[];
  readonly minIntervalMs: number;
  readonly defaultIntervalMs?: number;
  readonly notes?: string;
}

export interface OptionRow {
  readonly key: string;
  readonly description: string;
  readonly required: boolean;
  /** What may be written: `0 to 53`, `up, down or off`, `duration`, `text`. */
  readonly values: string;
  /** As it would be written. */
  readonly default?: string;
}

export interface ChannelRow {
  readonly key: string;
  readonly title: string;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  /** It has no values: these happen. */
  readonly events?: readonly string[];
}

export function describeDriver(driver: Driver): DriverPage {
  const { defaultIntervalMs, minIntervalMs } = driver.timing;
  return {
    name: driver.name,
    aliases: driver.aliases ?? [],
    title: driver.title,
    planned: driver.port === "planned",
    addresses: isOnI2c(driver) ? driver.addresses.map((address) => `0x${address.toString(16)}`) : [],
    options: optionRows(driver),
    channels: channelsOf(driver.channels).map(channelRow),
    minIntervalMs,
    ...(defaultIntervalMs !== undefined && { defaultIntervalMs }),
    ...(driver.notes && { notes: driver.notes }),
  };
}

function channelRow({
  key,
  title,
  quantity,
  unit = quantityOf(quantity).unit,
  min,
  max,
  eventTypes,
}: Channel): ChannelRow {
  return {
    key,
    title,
    ...(unit && { unit }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(eventTypes && { events: eventTypes }),
  };
}

/** What JSON Schema says of an option, as far as our options use it. */
interface OptionSchema {
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

function optionRows(driver: Driver): OptionRow[] {
  const schema = z.toJSONSchema(z.strictObject(driver.options), { io: "input" });
  const properties = Object.entries((schema.properties ?? {}) as Record<string, OptionSchema>);
  return properties.map(([key, option]) => ({
    key,
    description: option.description ?? "",
    required: schema.required?.includes(key) ?? false,
    values: valuesOf(option),
    ...(option.default !== undefined && { default: String(option.default) }),
  }));
}

function valuesOf(option: OptionSchema): string {
  const { title, type, enum: choices, minimum, maximum, exclusiveMinimum } = option;
  if (title) return title;
  if (choices) return inWords(choices.map(String));
  if (type === "boolean") return "true or false";
  if (type === "string") return "text";
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  return exclusiveMinimum === undefined ? "number" : `number above ${exclusiveMinimum}`;
}

function inWords(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join() : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}
