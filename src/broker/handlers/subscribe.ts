import type { Client } from "../client.ts";
import type { Qos, SubscribePacket, SubscriptionRequest } from "../codec/packets.ts";
import { malformed, reason } from "../codec/reasons.ts";
import { encodeSuback } from "../codec/subscribe.ts";
import { type SharedFilter, separatorCount, sharedFilter } from "../codec/topic-rules.ts";
import { encodeExplained, whyOfEach } from "../explain.ts";
import { type Subscription, subscriptionBytes } from "../routing/topic-tree.ts";
import type { Session } from "../sessions/session.ts";
import { countRefusal, heldBytes } from "../stats.ts";

/** One answer a filter, in order [MQTT-3.8.4-6]; what is retained follows the SUBACK. */
export function handleSubscribe(client: Client, packet: SubscribePacket): void {
  const session = client.session as Session;
  const id = packet.properties.subscriptionIdentifiers?.[0];
  const due: Subscription[] = [];
  const reasons = packet.subscriptions.map((asked) => {
    const filter = client.mountPoint === undefined ? asked.filter : client.mountPoint.filter(asked.filter);
    const qos = Math.min(asked.qos, client.listener.maxQos ?? 2) as Qos; // [MQTT-3.2.2-9]
    if (filter === undefined) return client.version === 5 ? reason.topicFilterInvalid : failureV4;
    const request = { ...asked, filter, qos };
    const refused = refusal(client, session, request);
    if (refused !== undefined) countRefusal(client.broker.stats, refused);
    if (refused !== undefined) return client.version === 5 ? refused : failureV4;
    const subscription: Subscription = { ...request, subscriber: session, ...(id !== undefined && { id }) };
    const isNew = session.subscribe(subscription);
    if (sharedFilter(request.filter) !== undefined) return request.qos; // nothing retained goes to a share (5.0: 4.8.2)
    if (request.retainHandling === 0 || (request.retainHandling === 1 && isNew)) due.push(subscription);
    return request.qos;
  });
  const suback = { type: "suback", packetId: packet.packetId, reasons, properties: {} } as const;
  client.sendWhenSafe(encodeExplained(client, suback, whyOfEach(reasons, sentences(client)), encodeSuback));
  session.replay(due);
}

const sentences = ({ broker: { journal } }: Client): Record<number, string> => ({
  [reason.notAuthorized]: "not allowed to read there",
  [reason.topicFilterInvalid]: "no filter below the mount point",
  [reason.quotaExceeded]: journal?.failure ? "the disk refuses it" : "no room for another subscription",
});

/** The only failure that a SUBACK of 3.1.1 knows. */
const failureV4 = 0x80;

function refusal(client: Client, session: Session, { filter }: SubscriptionRequest): number | undefined {
  const { limits, authorise, journal, stats } = client.broker;
  if (journal?.failure && session.isKept) return reason.quotaExceeded;
  const shared = sharedFilter(filter) as SharedFilter | undefined; // what is malformed was refused
  const topicFilter = shared?.filter ?? filter;
  if (separatorCount(topicFilter) > limits.topicLevels)
    throw malformed(`a filter of ${separatorCount(topicFilter)} levels, ${limits.topicLevels} are allowed`);
  if (authorise !== undefined && !authorise(session.identity, "subscribe", topicFilter)) return reason.notAuthorized;
  if (session.subscriptions.has(filter)) return undefined;
  const isFull = heldBytes(stats) + subscriptionBytes(filter) > limits.memoryBytes;
  if (isFull || session.subscriptions.size >= limits.subscriptions) return reason.quotaExceeded;
  return undefined;
}
