import type { Channel } from "../core/device.ts";
import type { Message } from "../core/topics.ts";
import type { Components } from "./removals.ts";

/**
 * Home Assistant then unloads the entity and keeps its registry entry, which the next component of that `unique_id` goes
 * on with, whatever the topic (MQTT integration, "Migration from single component to device-based discovery").
 */
const UNLOAD = JSON.stringify({ migrate_discovery: true });

/** What has to stand on the topics where the channels' entities were announced singly, before they are announced here. */
export function migrations(channels: readonly Channel[]): Message[] {
  return channels.flatMap(({ entity }) =>
    entity?.migrateFrom === undefined ? [] : [{ topic: entity.migrateFrom, payload: UNLOAD }],
  );
}

/** Was the entity on this topic of the channel's platform? If not, Home Assistant makes a new one. */
export function isSamePlatform(topic: string, channels: readonly Channel[], components: Components): boolean {
  const channel = channels.find(({ entity }) => entity?.migrateFrom === topic);
  const [, platform] = /([^/]+)\/(?:[^/]+\/)?[^/]+\/config$/.exec(topic) ?? [];
  return channel === undefined || components[channel.key]?.platform === platform;
}
