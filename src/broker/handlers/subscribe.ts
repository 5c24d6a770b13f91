import type { Client } from "../client.ts";
import type { SubscribePacket, SubscriptionRequest } from "../codec/packets.ts";
import { reason } from "../codec/reasons.ts";
import { encodeSuback } from "../codec/subscribe.ts";
import { isShared, levelCount } from "../codec/topic-rules.ts";
import type { Session } from "../session.ts";
import type { Subscription } from "../topic-tree.ts";

/** One answer a filter, in order [MQTT-3.8.4-6]; what is retained follows the SUBACK. */
export function handleSubscribe(client: Client, packet: SubscribePacket): void {
  const session = client.session as Session;
  const id = packet.properties.subscriptionIdentifiers?.[0];
  const due: Subscription[] = [];
  const reasons = packet.subscriptions.map((request) => {
    const refused = refusal(client, session, request);
    if (refused !== undefined) return client.version === 5 ? refused : failureV4;
    const subscription: Subscription = { ...request, subscriber: session, ...(id !== undefined && { id }) };
    const isNew = session.subscribe(subscription);
    if (request.retainHandling === 0 || (request.retainHandling === 1 && isNew)) due.push(subscription);
    return request.qos;
  });
  client.send(encodeSuback({ type: "suback", packetId: packet.packetId, reasons, properties: {} }, client.version));
  for (const subscription of due) session.replay(subscription);
}

/** The only failure that a SUBACK of 3.1.1 knows. */
const failureV4 = 0x80;

function refusal(client: Client, session: Session, { filter }: SubscriptionRequest): number | undefined {
  const { limits, authorise } = client.broker;
  if (isShared(filter)) return reason.sharedSubscriptionsNotSupported;
  if (levelCount(filter) > limits.topicLevels) return reason.topicFilterInvalid;
  if (authorise !== undefined && !authorise(session.identity, "subscribe", filter)) return reason.notAuthorized;
  if (!session.subscriptions.has(filter) && session.subscriptions.size >= limits.subscriptions)
    return reason.quotaExceeded;
  return undefined;
}
