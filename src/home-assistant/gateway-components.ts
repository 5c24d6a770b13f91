import { type Component, identity } from "./component.ts";

/**
 * What Home Assistant is told of the gateway itself, from its `health`. Four are enabled; the rest is there for those
 * who look for it, because every enabled diagnostic costs its database a row a minute.
 */
export function gatewayComponents(gatewayId: string, healthTopic: string): Readonly<Record<string, Component>> {
  const sensor = (key: string, name: string, template: string, rest: Readonly<Record<string, unknown>>) => ({
    platform: "sensor" as const,
    ...identity("sensor", { gatewayId, deviceId: "gateway" }, key),
    name,
    value_template: `{{ ${template} }}`,
    entity_category: "diagnostic",
    qos: 1,
    ...rest,
  });
  const count = { state_class: "total_increasing", suggested_display_precision: 0 };
  const disabled = { enabled_by_default: false };
  return {
    problem: {
      platform: "binary_sensor",
      ...identity("binary_sensor", { gatewayId, deviceId: "gateway" }, "problem"),
      device_class: "problem",
      value_template: "{{ 'ON' if value_json.faults | default([]) else 'OFF' }}",
      json_attributes_topic: healthTopic,
      json_attributes_template: "{{ {'faults': value_json.faults | default([])} | tojson }}",
      entity_category: "diagnostic",
      qos: 1,
    },
    pending: sensor("pending", "Readings waiting", "value_json.pending | default('')", {
      state_class: "measurement",
      suggested_display_precision: 0,
      icon: "mdi:tray-full",
    }),
    dropped: sensor("dropped", "Readings dropped", "value_json.dropped_total | default('')", {
      ...count,
      icon: "mdi:tray-remove",
    }),
    clock: sensor("clock", "Clock", "value_json.clock | default('None')", {
      device_class: "enum",
      options: ["synced", "unsynced", "none"],
      icon: "mdi:clock-check-outline",
    }),
    delivered: sensor("delivered", "Readings delivered", "value_json.delivered | default('')", {
      ...count,
      ...disabled,
      icon: "mdi:tray-arrow-up",
    }),
    unheard: sensor("unheard", "Readings unheard", "value_json.unheard | default('')", {
      ...count,
      ...disabled,
      icon: "mdi:ear-hearing-off",
    }),
    buffer_size: sensor("buffer_size", "Buffer", "value_json.buffer.bytes | default('')", {
      device_class: "data_size",
      unit_of_measurement: "B",
      state_class: "measurement",
      ...disabled,
    }),
    buffer_age: sensor("buffer_age", "Oldest reading waiting", "value_json.buffer.oldest_s | default('')", {
      device_class: "duration",
      unit_of_measurement: "s",
      state_class: "measurement",
      ...disabled,
    }),
  };
}
