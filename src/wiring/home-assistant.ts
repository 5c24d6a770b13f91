import type { Config } from "../config/schema/config.ts";
import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import type { Random } from "../core/random.ts";
import { topicsOf } from "../core/topics.ts";
import { announceAll } from "../home-assistant/announce.ts";
import { type Listener, onBirth } from "../home-assistant/presence.ts";
import type { UplinkDeps } from "../uplink/state.ts";
import { Controller } from "./controller.ts";

export interface HomeAssistantParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly gateway: GatewayInfo;
  readonly random: Random;
  /** Discovery and states once more. */
  readonly announce: () => void;
  readonly signal: AbortSignal;
}

export interface HomeAssistantSide {
  readonly controller: Controller;
  readonly uplink: Pick<UplinkDeps, "connectionChanged" | "discovery" | "subscriptions">;
}

/** What the uplink says to Home Assistant and hears from it; nothing where it is switched off. */
export function homeAssistantSide(
  { homeAssistant, mqtt }: Config,
  { board, gateway, ...rest }: HomeAssistantParts,
): HomeAssistantSide {
  const controller = new Controller(rest.clock);
  if (!homeAssistant.enabled) return { controller, uplink: { discovery: () => [], subscriptions: [] } };
  const prefix = homeAssistant.discoveryPrefix;
  const topics = topicsOf(mqtt.baseTopic, gateway.id);
  const expireAfterS = homeAssistant.expireAfterMs && Math.ceil(homeAssistant.expireAfterMs / 1000);
  const options = { prefix, ...(expireAfterS && { expireAfterS }) };
  const statusHeard: Listener = {
    filter: `${prefix}/status`,
    onMessage: ({ payload }) => controller.heard(Buffer.from(payload).toString("utf8")),
  };
  const uplink = {
    discovery: () => {
      const devices = board.all().map(({ info }) => info);
      return announceAll(gateway, devices, topics, options);
    },
    subscriptions: [onBirth({ prefix, ...rest }), statusHeard],
    connectionChanged: () => controller.connectionChanged(),
  };
  return { controller, uplink };
}
