import type { Channel } from "../core/device.ts";
import { type Component, type ComponentContext, identity, valueTemplate } from "./component.ts";

/** A finer one than NUMBER_MIN_STEP would cost the whole entity. */
export function stepOf(decimals: number): number {
  return Math.max(0.001, 10 ** -decimals);
}

/** What an output with levels is to Home Assistant: what its class says, else a number. */
export function levelOf(channel: Channel, context: ComponentContext): Component {
  switch (channel.deviceClass) {
    case "light":
      return lightOf(channel, context);
    case "fan":
      return fanOf(channel, context);
    default:
      return { ...common("number", channel, context), ...numberKeys(channel), value_template: shown(channel) };
  }
}

/** `on_command_type`: turning it on is one command, its brightness. */
function lightOf(channel: Channel, context: ComponentContext): Component {
  return {
    ...common("light", channel, context),
    state_value_template: isOn(channel),
    brightness_command_topic: context.commandTopic(channel.key),
    brightness_state_topic: context.stateTopic,
    brightness_value_template: shown(channel),
    brightness_scale: channel.max,
    on_command_type: "brightness",
  };
}

function fanOf(channel: Channel, context: ComponentContext): Component {
  return {
    ...common("fan", channel, context),
    state_value_template: isOn(channel),
    percentage_command_topic: context.commandTopic(channel.key),
    percentage_state_topic: context.stateTopic,
    percentage_value_template: `{{ value_json['${channel.key}'] | round(0) | int if value_json['${channel.key}'] is defined else '' }}`,
  };
}

/** The largest total that can be typed in; Home Assistant wants to know. */
const METER_MAX = 1e9;

/** A number beside a meter's own sensor, to set it with; it shows the same. */
export function setterOf(channel: Channel, context: ComponentContext): Component {
  const { entity: _, ...meter } = channel;
  const setter = { ...meter, key: `${channel.key}_set`, title: `Set ${channel.title.toLowerCase()}` };
  return {
    ...common("number", setter, context),
    ...numberKeys({ ...channel, min: 0, max: METER_MAX }),
    value_template: shown(channel),
    command_topic: context.commandTopic(channel.key),
    mode: "box",
    entity_category: "config",
  };
}

function common(platform: Component["platform"], { entity, key, title }: Channel, context: ComponentContext) {
  return {
    platform,
    ...identity(platform, context, key, entity),
    name: title,
    command_topic: context.commandTopic(key),
    qos: 1,
  };
}

function numberKeys({ decimals, max, min, unit }: Channel) {
  return { min, max, step: stepOf(decimals), ...(unit !== undefined && { unit_of_measurement: unit }) };
}

function shown({ key }: Channel): string {
  return valueTemplate(key, "number");
}

function isOn({ key }: Channel): string {
  const value = `value_json['${key}']`;
  return `{{ ('ON' if ${value} > 0 else 'OFF') if ${value} is defined else 'None' }}`;
}
