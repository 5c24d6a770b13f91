import type { Topics } from "../core/topics.ts";
import { CLEAR_FAULT } from "./clear-fault.ts";
import { type Component, identity } from "./component.ts";

type Rest = Readonly<Record<string, unknown>>;

const count = { state_class: "total_increasing", suggested_display_precision: 0 };
const measured = { state_class: "measurement" };
const disabled = { enabled_by_default: false };

/**
 * What Home Assistant is told of the gateway itself, from its `health`. Four are enabled; the rest is there for those
 * who look for it, because every enabled diagnostic costs its database a row a minute.
 */
export function gatewayComponents(
  gatewayId: string,
  topics: Topics,
  { looksForUpdates = false }: { readonly looksForUpdates?: boolean } = {},
): Readonly<Record<string, Component>> {
  const known = { gatewayId, deviceId: "gateway" };
  const diagnostic = { entity_category: "diagnostic", qos: 1 };
  const sensor = (key: string, name: string, template: string, rest: Rest): Component => ({
    platform: "sensor",
    ...identity("sensor", known, key),
    name,
    value_template: `{{ ${template} }}`,
    ...diagnostic,
    ...rest,
  });
  const flag = (key: string, template: string, rest: Rest): Component => ({
    platform: "binary_sensor",
    ...identity("binary_sensor", known, key),
    device_class: "problem",
    value_template: `{{ ${template} }}`,
    ...diagnostic,
    ...rest,
  });
  const button = (key: string, request: string, rest: Rest): Component => ({
    platform: "button",
    ...identity("button", known, key),
    command_topic: topics.request(request),
    payload_press: "{}",
    qos: 1,
    ...rest,
  });
  return {
    problem: flag("problem", "'ON' if value_json.faults | default([]) else 'OFF'", {
      json_attributes_topic: topics.health,
      json_attributes_template: "{{ {'faults': value_json.faults | default([])} | tojson }}",
    }),
    pending: sensor("pending", "Readings waiting", "value_json.pending | default('')", {
      ...measured,
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
      ...measured,
      ...disabled,
    }),
    buffer_age: sensor("buffer_age", "Oldest reading waiting", "value_json.buffer.oldest_s | default('')", {
      device_class: "duration",
      unit_of_measurement: "s",
      ...measured,
      ...disabled,
    }),
    error_rate: sensor("error_rate", "Failed reads", "value_json.error_rate | default('')", {
      unit_of_measurement: "%",
      ...measured,
      suggested_display_precision: 1,
      ...disabled,
      icon: "mdi:alert-circle-outline",
    }),
    retained: sensor("retained", "Retained topics", "value_json.retained | default('')", {
      ...measured,
      suggested_display_precision: 0,
      ...disabled,
      icon: "mdi:pin-outline",
    }),
    card_written: sensor(
      "card_written",
      "Written per day",
      "(value_json.wear | default({})).mb_per_day | default('')",
      {
        device_class: "data_size",
        unit_of_measurement: "MB",
        ...measured,
        suggested_display_precision: 1,
        ...disabled,
      },
    ),
    cpu_temperature: sensor(
      "cpu_temperature",
      "CPU temperature",
      "(value_json.host | default({})).cpu_temperature | default('')",
      {
        device_class: "temperature",
        unit_of_measurement: "°C",
        ...measured,
        suggested_display_precision: 0,
        ...disabled,
      },
    ),
    wifi_signal: sensor("wifi_signal", "Wi-Fi signal", "(value_json.host | default({})).wifi_signal | default('')", {
      device_class: "signal_strength",
      unit_of_measurement: "dBm",
      ...measured,
      suggested_display_precision: 0,
      ...disabled,
    }),
    throttled: flag("throttled", "'ON' if (value_json.host | default({})).throttled | default(false) else 'OFF'", {
      name: "Throttled",
      ...disabled,
    }),
    version: sensor("version", "Version", "value_json.version | default('None')", {
      ...disabled,
      icon: "mdi:tag-outline",
    }),
    starts: sensor("starts", "Starts", "value_json.starts | default('')", {
      ...count,
      ...disabled,
      icon: "mdi:restart",
    }),
    identify: button("identify", "identify", { device_class: "identify", entity_category: "diagnostic" }),
    ...(looksForUpdates && {
      update: {
        platform: "update" as const,
        ...identity("update", known, "update"),
        // Without one, and without a class, it would be called MQTT Update.
        name: "Update",
        title: "fieldpost",
        value_template:
          "{{ {'installed_version': value_json.version, 'latest_version': value_json.latest | default(value_json.version)} | tojson }}",
        ...diagnostic,
      },
    }),
    clear_fault: button("clear_fault", "clear_fault", { name: "Clear faults", ...CLEAR_FAULT }),
    restart: button("restart", "restart", { device_class: "restart", entity_category: "config" }),
  };
}
