import type { DeviceInfo } from "../core/device.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import { discoveryTopic, type RetainedMessage, type Topics } from "../core/topics.ts";
import { clearFaultOf } from "./clear-fault.ts";
import { componentOf } from "./component.ts";
import { gatewayComponents } from "./gateway-components.ts";
import { migrations } from "./migration.ts";
import { offsetOf } from "./offset-component.ts";
import { levelOf, setterOf } from "./output-component.ts";

export interface AnnounceOptions {
  /** Home Assistant's discovery prefix, `homeassistant` unless it was changed there. */
  readonly prefix: string;
  /** Seconds without a value after which an entity is unavailable; then `state` must not be retained. */
  readonly expireAfterS?: number;
  readonly supportUrl?: string;
  /** Somebody looks for newer versions: `health` then has the `latest`. */
  readonly looksForUpdates?: boolean;
  /** The id that a device's entities have; by default the device's. */
  readonly entityId?: (device: string) => string;
}

/** The gateway first: a `via_device` that is not there yet would become a nameless device. */
export function announceAll(
  gateway: GatewayInfo,
  devices: readonly DeviceInfo[],
  topics: Topics,
  options: AnnounceOptions,
): RetainedMessage[] {
  return [
    announceGateway(gateway, topics, options),
    ...devices.map((device) => announce(gateway, device, topics, options)),
  ];
}

/** The exact undo. */
export function withdraw(messages: readonly RetainedMessage[]): RetainedMessage[] {
  return messages.map(({ replaces: _, ...message }) => ({ ...message, payload: "" }));
}

/** A device's discovery message: one, with all its channels. */
export function announce(
  gateway: GatewayInfo,
  device: DeviceInfo,
  topics: Topics,
  options: AnnounceOptions,
): RetainedMessage {
  const { id, name, manufacturer, model, serial, area, channels } = device;
  const { config, status, state } = topics.device(id);
  // A device with a new id goes on under its first one here: another would be another device with other entities.
  const entityId = options.entityId?.(id) ?? id;
  const clearFault = clearFaultOf(id, topics, { gatewayId: gateway.id, deviceId: entityId });
  const components = channels.flatMap((channel) => {
    const context = {
      ...options,
      gatewayId: gateway.id,
      deviceId: entityId,
      alone: channels.filter(({ quantity }) => quantity === channel.quantity).length === 1,
      commandTopic: topics.device(id).channelSet,
      stateTopic: state,
      configTopic: config,
      eventTopic: topics.device(id).event,
    };
    const setter = channel.settable === "meter" ? [[`${channel.key}_set`, setterOf(channel, context)]] : [];
    const component = channel.settable === "level" ? levelOf(channel, context) : componentOf(channel, context);
    const { key, offset } = channel;
    return [[key, component], ...setter, ...(offset ? [[`${key}_offset`, offsetOf(channel, offset, context)]] : [])];
  });
  const payload = {
    device: {
      identifiers: [`${gateway.id}_${entityId}`],
      name,
      ...(manufacturer && { manufacturer }),
      ...(model && { model }),
      ...(serial && { serial_number: serial }),
      ...(area && { suggested_area: area }),
      via_device: gateway.id,
    },
    origin: originOf(gateway, options),
    // A device is as available as itself and as the gateway that reads it; the will speaks for both.
    availability: [{ topic: topics.status }, { topic: status }],
    availability_mode: "all",
    state_topic: state,
    components: Object.fromEntries([["clear_fault", clearFault], ...components]),
  };
  const replaces = migrations(channels);
  return {
    topic: discoveryTopic(options.prefix, gateway.id, entityId),
    payload: JSON.stringify(payload),
    device: id,
    ...(replaces.length > 0 && { replaces }),
  };
}

/** The gateway's own discovery message. */
export function announceGateway(gateway: GatewayInfo, topics: Topics, options: AnnounceOptions): RetainedMessage {
  const payload = {
    device: {
      identifiers: [gateway.id],
      name: gateway.name,
      manufacturer: "fieldpost",
      model: gateway.model ?? "Sensor gateway",
      sw_version: gateway.version,
      ...(gateway.area && { suggested_area: gateway.area }),
    },
    origin: originOf(gateway, options),
    availability: [{ topic: topics.status }],
    availability_mode: "all",
    state_topic: topics.health,
    components: gatewayComponents(gateway.id, topics, options),
  };
  return { topic: discoveryTopic(options.prefix, gateway.id, "gateway"), payload: JSON.stringify(payload) };
}

function originOf({ version }: GatewayInfo, { supportUrl }: AnnounceOptions) {
  return { name: "fieldpost", sw_version: version, ...(supportUrl && { support_url: supportUrl }) };
}
