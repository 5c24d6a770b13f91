import type { Client } from "../client.ts";
import { newPublishView, type PublishView, parsePublish } from "../codec/publish.ts";
import { ProtocolFault, protocolError, reason } from "../codec/reasons.ts";
import { Message } from "../message.ts";
import type { Session } from "../session.ts";
import type { Topic } from "../topic-table.ts";
import { ackWire } from "../wires.ts";

/** Filled anew for each PUBLISH and done with before the next: nothing here waits. */
const view = newPublishView();

export function handlePublish(client: Client, first: number, bytes: Buffer, start: number, end: number): void {
  const session = client.session as Session;
  parsePublish(first, bytes, start, end, client.version, view);
  client.broker.stats.publishesReceived++;
  const topic = topicOf(client, bytes, view);
  const { qos, packetId } = view;
  if (qos === 2 && isRepeated(client, session, packetId)) {
    client.outgoing.push(ackWire("pubrec", 0), packetId);
    return;
  }
  const code = publish(client, session, topic);
  if (qos === 0) return;
  if (qos === 2 && code < 0x80) session.unreleased.add(packetId);
  client.outgoing.push(ackWire(qos === 1 ? "puback" : "pubrec", client.version === 5 ? code : 0), packetId);
  if (qos === 2 && code >= 0x80 && client.version === 4) session.unreleased.add(packetId);
}

/** Returns the reason code to acknowledge it with. MQTT 3.1.1 knows none, so there it is taken and dropped. */
function publish(client: Client, session: Session, topic: Topic): number {
  const { broker } = client;
  const { authorise } = broker;
  if (authorise !== undefined && !authorise(session.identity, "write", topic.name)) {
    broker.stats.dropped.denied++;
    return reason.notAuthorized;
  }
  const expiryS = view.properties?.messageExpiryInterval;
  const expiresAtMs = expiryS === undefined ? Number.POSITIVE_INFINITY : broker.timers.nowMs() + expiryS * 1000;
  const { reached, retained } = broker.publish(new Message(topic, view, expiresAtMs), session);
  if (!retained) return reason.quotaExceeded;
  return reached === 0 ? reason.noMatchingSubscribers : reason.success;
}

/** A QoS 2 message that is there already is not published again; a new one needs room [MQTT-3.3.4-7]. */
function isRepeated(client: Client, session: Session, packetId: number): boolean {
  if (session.unreleased.has(packetId)) return true;
  if (client.version === 5 && session.unreleased.size >= client.broker.limits.receiveMaximum)
    throw new ProtocolFault(reason.receiveMaximumExceeded, "more unfinished messages than the receive maximum");
  return false;
}

function topicOf(client: Client, bytes: Buffer, { topicStart, topicEnd, properties }: PublishView): Topic {
  if (properties === undefined) return client.broker.topics.intern(bytes, topicStart, topicEnd);
  if (properties.subscriptionIdentifiers !== undefined) throw protocolError("PUBLISH with a subscription identifier"); // [MQTT-3.3.4-6]
  const { topicAlias } = properties;
  if (topicAlias === undefined) return client.broker.topics.intern(bytes, topicStart, topicEnd);
  if (topicAlias > client.broker.limits.topicAliasMaximum)
    throw new ProtocolFault(reason.topicAliasInvalid, `topic alias ${topicAlias}`); // [MQTT-3.3.2-9]
  if (topicEnd > topicStart) {
    const topic = client.broker.topics.intern(bytes, topicStart, topicEnd);
    client.topicAliases[topicAlias] = topic;
    return topic;
  }
  const topic = client.topicAliases[topicAlias];
  if (topic === undefined) throw protocolError(`topic alias ${topicAlias} was not assigned`);
  return topic;
}
