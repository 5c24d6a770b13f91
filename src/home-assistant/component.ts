import { binaryDeviceClasses } from "../core/binary-classes.ts";
import type { Channel, FormerEntity } from "../core/device.ts";
import { type Quantity, quantityOf } from "../core/quantity.ts";
import { sensorClasses } from "./sensor-classes.ts";

const eventClasses: ReadonlySet<string> = new Set(["button", "doorbell", "motion"]);
const switchClasses: ReadonlySet<string> = new Set(["outlet", "switch"]);
const binaryClasses: ReadonlySet<string> = new Set(binaryDeviceClasses);

/** One entity of a device discovery message, by Home Assistant's key names. */
export type Component = Readonly<Record<string, unknown>> & {
  readonly platform: "sensor" | "binary_sensor" | "switch" | "number" | "light" | "fan" | "event" | "button" | "update";
  readonly unique_id: string;
};

export interface ComponentContext {
  readonly gatewayId: string;
  readonly deviceId: string;
  /** Titles that more than one channel of the device would get from its class alone. */
  readonly alone: boolean;
  readonly expireAfterS?: number;
  /** Where an output hears commands. */
  readonly commandTopic: (channel: string) => string;
  readonly stateTopic: string;
  /** Where the device says what it is. */
  readonly configTopic: string;
  /** Where a button tells its presses. */
  readonly eventTopic: (channel: string) => string;
}

/** The longest state that Home Assistant takes. */
const MAX_STATE_LENGTH = 255;

/** One channel as Home Assistant shall show it. */
export function componentOf(channel: Channel, context: ComponentContext): Component {
  if (channel.eventTypes) return eventOf(channel, channel.eventTypes, context);
  const quantity: Quantity = quantityOf(channel.quantity);
  const platform = channel.settable === "switch" ? "switch" : quantity.kind === "binary" ? "binary_sensor" : "sensor";
  const deviceClass = deviceClassOf(channel, quantity);
  const localized = deviceClass !== undefined && context.alone && channel.title === quantity.title;
  return {
    platform,
    ...identity(platform, context, channel.key, channel.entity),
    // Without a name Home Assistant takes the class's, in its user's language.
    ...(!localized && { name: channel.title }),
    value_template: valueTemplate(channel.key, quantity.kind),
    ...(deviceClass !== undefined && { device_class: deviceClass }),
    ...(quantity.kind === "number" && numberKeys(channel, quantity)),
    ...(deviceClass === undefined && quantity.icon !== undefined && { icon: quantity.icon }),
    ...(channel.diagnostic && { entity_category: "diagnostic" }),
    ...(channel.settable === "switch" && { command_topic: context.commandTopic(channel.key) }),
    ...(context.expireAfterS !== undefined && channel.settable !== "switch" && { expire_after: context.expireAfterS }),
    qos: 1,
  };
}

/** An event entity has a state topic of its own, and nothing that could expire. */
function eventOf(channel: Channel, eventTypes: readonly string[], context: ComponentContext): Component {
  const { deviceClass, diagnostic, entity, key, title } = channel;
  return {
    platform: "event",
    ...identity("event", context, key, entity),
    name: title,
    event_types: eventTypes,
    state_topic: context.eventTopic(key),
    ...(deviceClass !== undefined && eventClasses.has(deviceClass) && { device_class: deviceClass }),
    ...(diagnostic && { entity_category: "diagnostic" }),
    qos: 1,
  };
}

/** Ids from what never changes: a replaced probe or a new name keeps the history. */
export function identity(
  platform: Component["platform"],
  { gatewayId, deviceId }: Pick<ComponentContext, "gatewayId" | "deviceId">,
  key: string,
  former?: FormerEntity,
) {
  const id = uniqueIdOf(gatewayId, deviceId, key);
  return {
    unique_id: former?.uniqueId ?? id,
    default_entity_id: `${platform}.${id.toLowerCase().replace(/[^a-z0-9_]/g, "_")}`,
  };
}

/** What Home Assistant's registry knows an entity by. */
export function uniqueIdOf(gatewayId: string, deviceId: string, key: string): string {
  return `${gatewayId}_${deviceId}_${key}`;
}

function numberKeys(channel: Channel, quantity: Quantity) {
  return {
    ...(channel.unit !== undefined && { unit_of_measurement: channel.unit }),
    ...(quantity.stateClass && { state_class: quantity.stateClass }),
    suggested_display_precision: channel.decimals,
  };
}

/** A class that does not go with the unit or the state class would cost the whole entity; without it, it is shown. */
function deviceClassOf(channel: Channel, quantity: Quantity): string | undefined {
  const deviceClass = channel.deviceClass ?? quantity.deviceClass;
  if (deviceClass === undefined || quantity.kind === "text" || quantity.kind === "event") return undefined;
  if (channel.settable === "switch") return switchClasses.has(deviceClass) ? deviceClass : undefined;
  if (quantity.kind === "binary") return binaryClasses.has(deviceClass) ? deviceClass : undefined;
  const rules = sensorClasses[deviceClass];
  if (!rules?.units.includes(channel.unit)) return undefined;
  return quantity.stateClass === undefined || rules.stateClasses.includes(quantity.stateClass)
    ? deviceClass
    : undefined;
}

/**
 * A state has no key for a channel that never had a value, and a template that misses one logs a warning each time. `None`
 * is "unknown", also for a number that is withheld because its sensor is at fault: an empty result would keep the old one.
 */
export function valueTemplate(key: string, kind: Quantity["kind"]): string {
  const value = `value_json['${key}']`;
  switch (kind) {
    case "number":
      return `{{ ${value} | default('None') }}`;
    case "binary":
      return `{{ ('ON' if ${value} else 'OFF') if ${value} is defined else 'None' }}`;
    case "event":
    case "text":
      return `{{ (${value} | default('None') | string)[:${MAX_STATE_LENGTH}] }}`;
  }
}
