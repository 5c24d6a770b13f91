import type { Qos } from "../codec/packets.ts";
import type { Message } from "../message.ts";
import type { BrokerStats } from "../stats.ts";
import { type Route, type Subscriber, type TopicTree, withoutNoLocal } from "./topic-tree.ts";

/**
 * Hands a message to everyone subscribed and returns how many they are, the publisher included
 * where it does not want its own back: Mosquitto's PUBACK counts it, too. Never waits: every subscriber takes it,
 * queues it or drops it at once. Queued or retained, the message makes itself independent of the publisher's chunk.
 */
export function routeMessage(
  tree: TopicTree,
  stats: BrokerStats,
  message: Message,
  publisher: Subscriber | undefined,
): number {
  let reached = 0;
  const { direct, shares } = tree.route(message.topic);
  for (const found of direct) {
    const route = found.noLocal && found.subscriber === publisher ? withoutNoLocal(found) : found;
    if (route === undefined) {
      reached++;
      continue;
    }
    if (!route.subscriber.mayRead(message.topic.name)) {
      stats.dropped.denied++;
      continue;
    }
    reached++;
    deliver(route, message);
  }
  for (const share of shares) if (share.deliver(message)) reached++;
  message.routed();
  return reached;
}

/** At the lower of both QoS [MQTT-3.8.4-8]; RETAIN only where it was asked for [MQTT-3.3.1-12] [MQTT-3.3.1-13]. */
function deliver(route: Route, message: Message): void {
  const qos = Math.min(route.qos, message.qos) as Qos;
  route.subscriber.deliver(message, qos, message.retain && route.retainAsPublished, route.subscriptionIds);
}
