import type { Channel, Offset } from "../core/device.ts";
import { type Component, type ComponentContext, identity } from "./component.ts";
import { stepOf } from "./output-component.ts";

/**
 * A number beside a channel, with which its calibration is changed; the device's `config` says what it is. It has no device
 * class: Home Assistant would convert a difference of 1 °C as the temperature of 1 °C.
 */
export function offsetOf({ key, title }: Channel, offset: Offset, context: ComponentContext): Component {
  const { decimals, limit, unit } = offset;
  return {
    platform: "number",
    ...identity("number", context, `${key}_offset`),
    name: `${title} offset`,
    state_topic: context.configTopic,
    value_template: `{{ (value_json.offsets | default({}))['${key}'] | default('None') }}`,
    command_topic: context.commandTopic(`${key}_offset`),
    min: -limit,
    max: limit,
    step: stepOf(decimals),
    ...(unit !== undefined && { unit_of_measurement: unit }),
    mode: "box",
    icon: "mdi:tune-variant",
    entity_category: "config",
    qos: 1,
  };
}
