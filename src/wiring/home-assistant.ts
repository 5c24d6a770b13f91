import type { Config } from "../config/schema/config.ts";
import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import { GATEWAY } from "../core/device.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import type { Log } from "../core/log.ts";
import type { Random } from "../core/random.ts";
import { discoveryTopic, type RetainedMessage, topicsOf } from "../core/topics.ts";
import { announceAll } from "../home-assistant/announce.ts";
import { isSamePlatform } from "../home-assistant/migration.ts";
import { type Listener, onBirth, onDeletion } from "../home-assistant/presence.ts";
import { componentsIn } from "../home-assistant/removals.ts";
import type { Store } from "../store/store.ts";
import type { UplinkDeps } from "../uplink/state.ts";
import { Controller } from "./controller.ts";
import { DiscoveryMemory } from "./discovery-memory.ts";
import { entityIdOf } from "./lifecycle/renames.ts";

export interface HomeAssistantParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly gateway: GatewayInfo;
  readonly log: Log;
  readonly random: Random;
  readonly store: Pick<Store, "getMeta" | "metaKeys" | "setMeta">;
  /** Discovery and states once more. */
  readonly announce: () => void;
  /** A discovery topic of ours is not ours to feed any more. */
  readonly deleted: () => void;
  readonly signal: AbortSignal;
}

export interface HomeAssistantSide {
  readonly controller: Controller;
  readonly uplink: Pick<
    UplinkDeps,
    "connectionChanged" | "discovery" | "discovered" | "missing" | "replaced" | "subscriptions"
  >;
  /** Announces again, also what was deleted in Home Assistant: one device, or all. Returns what comes back. */
  announce(device: string | undefined): string[];
}

/** What the uplink says to Home Assistant and hears from it; nothing where it is switched off. */
export function homeAssistantSide(
  { homeAssistant, mqtt }: Config,
  { board, gateway, store, log, ...rest }: HomeAssistantParts,
): HomeAssistantSide {
  const controller = new Controller(rest.clock);
  if (!homeAssistant.enabled) {
    return { controller, uplink: { discovery: () => [], subscriptions: [] }, announce: () => [] };
  }
  const prefix = homeAssistant.discoveryPrefix;
  const topics = topicsOf(mqtt.baseTopic, gateway.id);
  const expireAfterS = homeAssistant.expireAfterMs && Math.ceil(homeAssistant.expireAfterMs / 1000);
  const entityId = (device: string) => entityIdOf(store, device);
  const looksForUpdates = homeAssistant.updateUrl !== undefined;
  const options = { prefix, entityId, looksForUpdates, ...(expireAfterS && { expireAfterS }) };
  // One that ended meanwhile is not: nothing is to be kept of it.
  const isOpened = (device: string) =>
    device === GATEWAY || (board.get(device)?.health.state ?? "starting") !== "starting";
  const memory = new DiscoveryMemory({ store, log, isOpened, isOnline: () => controller.isOnline });
  const statusHeard: Listener = {
    filter: `${prefix}/status`,
    onMessage: ({ payload }) => controller.heard(Buffer.from(payload).toString("utf8")),
  };
  const all = () => {
    const devices = board.all().map(({ info }) => info);
    return announceAll(gateway, devices, topics, options);
  };
  const replaced = (topic: string, device = GATEWAY) => {
    const message = all().find((one) => deviceOf(one) === device);
    if (!message) return;
    memory.replaced(topic, device);
    const channels = board.get(device)?.info.channels ?? [];
    if (!isSamePlatform(topic, channels, componentsIn(message.payload)))
      log.warn("Home Assistant makes a new entity of it: it was of another platform", { device, topic });
  };
  const deleted = (topic: string) => {
    const message = all().find((one) => one.topic === topic);
    if (!message || memory.isDeleted(deviceOf(message))) return;
    memory.deleted(deviceOf(message));
    rest.deleted();
  };
  const heardDeletion = onDeletion(prefix, gateway.id, (id) => deleted(discoveryTopic(prefix, gateway.id, id)));
  const discovery = () =>
    all()
      .filter((message) => !memory.isDeleted(deviceOf(message)))
      .map((message) => memory.prepared(message));
  return {
    controller,
    uplink: {
      discovery,
      discovered: (message) => memory.told(message),
      replaced,
      missing: deleted,
      // What Home Assistant is must be known before it is answered.
      subscriptions: [statusHeard, onBirth({ prefix, ...rest }), heardDeletion],
      connectionChanged: () => controller.connectionChanged(),
    },
    announce(device) {
      const back = memory.wanted(device);
      for (const { info } of board.all()) if (device === undefined || device === info.id) memory.replaceAgain(info.id);
      rest.announce();
      return back;
    },
  };
}

const deviceOf = ({ device }: RetainedMessage): string => device ?? GATEWAY;
