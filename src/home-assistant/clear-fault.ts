import type { Topics } from "../core/topics.ts";
import { type Component, type ComponentContext, identity } from "./component.ts";

export const CLEAR_FAULT = { icon: "mdi:alert-remove-outline", entity_category: "config" } as const;

/**
 * A device's own button. It has to work while the device is offline, so it asks for the gateway alone; a component that
 * says `availability` itself does not inherit the device's.
 */
export function clearFaultOf(
  device: string,
  topics: Topics,
  context: Pick<ComponentContext, "gatewayId" | "deviceId">,
): Component {
  return {
    platform: "button",
    ...identity("button", context, "clear_fault"),
    name: "Clear fault",
    command_topic: topics.request("clear_fault"),
    payload_press: JSON.stringify({ device }),
    availability: [{ topic: topics.status }],
    ...CLEAR_FAULT,
    enabled_by_default: false,
    qos: 1,
  };
}
