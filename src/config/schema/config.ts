import { z } from "zod";
import type { Driver } from "../../drivers/driver.ts";
import { expandersOf } from "../../drivers/expander-place.ts";
import { oncePerKey } from "../once.ts";
import { present } from "../present.ts";
import { brokerSection } from "./broker.ts";
import { devicesSection, interval, type RawDevice } from "./devices.ts";
import { gatewaySection, logSection } from "./gateway.ts";
import { homeAssistantSection } from "./home-assistant.ts";
import { mqttSection } from "./mqtt.ts";
import { removedDevicesSection, storeSection } from "./store.ts";
import { webSection } from "./web.ts";

const sections = {
  gateway: gatewaySection,
  mqtt: mqttSection,
  home_assistant: homeAssistantSection,
  broker: brokerSection,
  store: storeSection,
  removed_devices: removedDevicesSection,
  web: webSection,
  log: logSection,
  defaults: z
    .strictObject({ interval: interval().prefault("30s").describe("How often a device is read that does not say") })
    .transform((defaults) => ({ intervalMs: defaults.interval }))
    .prefault({})
    .describe("What devices inherit"),
} as const;

/**
 * The one schema of the configuration. Input is the YAML's keys, output is what the program uses: camelCase, units in
 * the names, inherited values filled in.
 */
export const configSchema = oncePerKey(makeSchema);

function makeSchema(drivers: readonly Driver[]) {
  return z
    .strictObject({ ...sections, devices: devicesSection(drivers) })
    .transform(({ home_assistant, removed_devices, broker, devices, ...same }) => ({
      ...same,
      homeAssistant: home_assistant,
      removedDevices: removed_devices,
      broker: { ...broker, enabled: broker.enabled ?? same.mqtt.urls.length === 0 },
      devices: devices.map((device) => {
        const expanders = expandersOf(device.options, devices);
        return { ...inherit(device, same), ...(expanders && { expanders }) };
      }),
    }));
}

export type Config = z.output<ReturnType<typeof configSchema>>;
export type DeviceConfig = Config["devices"][number];

interface Inherited {
  readonly gateway: { readonly area?: string };
  readonly mqtt: { readonly qos: z.output<typeof mqttSection>["qos"] };
  readonly defaults: { readonly intervalMs: number };
}

function inherit(device: RawDevice, { gateway, mqtt, defaults }: Inherited) {
  const { minIntervalMs, defaultIntervalMs } = device.driver.timing;
  return present({
    ...device,
    area: device.area ?? gateway.area,
    intervalMs: device.intervalMs ?? Math.max(defaultIntervalMs ?? defaults.intervalMs, minIntervalMs),
    qos: { ...mqtt.qos, ...(device.qos && present(device.qos)) },
  });
}
