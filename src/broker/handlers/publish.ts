import { isUtf8 } from "node:buffer";
import type { Client } from "../client.ts";
import { newPublishView, type PublishView, parsePublish } from "../codec/publish.ts";
import { ProtocolFault, protocolError, reason } from "../codec/reasons.ts";
import { isBridgeState, isSystemTopic } from "../codec/topic-rules.ts";
import { explainedAck } from "../explain.ts";
import { Message } from "../message.ts";
import type { Topic } from "../routing/topic-table.ts";
import type { Session } from "../sessions/session.ts";
import { ackWire } from "../wires.ts";

/** Filled anew for each PUBLISH and done with before the next: nothing here waits. */
const view = newPublishView();

export function handlePublish(client: Client, first: number, bytes: Buffer, start: number, end: number): void {
  const session = client.session as Session;
  const { broker, version } = client;
  parsePublish(first, bytes, start, end, version, view);
  broker.stats.publishesReceived++;
  broker.stats.publishBytesReceived += view.payloadEnd - view.payloadStart;
  if (client.publishRate?.take(broker.timers.nowMs()) === false)
    throw new ProtocolFault(reason.messageRateTooHigh, `more than ${broker.limits.publishRate} messages a second`);
  const { qos, packetId } = view;
  if (qos > (client.listener.maxQos ?? 2)) throw new ProtocolFault(reason.qosNotSupported, `a message at QoS ${qos}`); // [MQTT-3.2.2-11]
  const topic = topicOf(client, bytes, view);
  if (qos === 2) {
    publishOnce(client, session, topic, packetId);
    return;
  }
  const message = messageOf(client, topic);
  const refused = refusal(client, session, message);
  if (qos === 0 && refused === reason.payloadFormatInvalid)
    throw new ProtocolFault(refused, "a payload that says it is UTF-8 and is not"); // there is no other word for it
  const head = broker.journal?.head;
  const code = refused ?? publish(client, session, message);
  if (qos === 1) client.acknowledge(explainedAck(client, "puback", code, packetId), packetId, head);
}

/**
 * QoS 2. PUBREC goes before what is published, so that a client subscribed to itself hears it first. It does not tell
 * whether somebody is subscribed. One that was refused in 5.0 is over [MQTT-4.3.3-9]; 3.1.1 knows no refusal.
 */
function publishOnce(client: Client, session: Session, topic: Topic, packetId: number): void {
  const { broker, version, outgoing } = client;
  if (isRepeated(client, session, packetId)) {
    outgoing.pushWhenSafe(ackWire("pubrec", 0), packetId);
    return;
  }
  const message = messageOf(client, topic);
  const refused = refusal(client, session, message);
  const noRoom = message.retain && !broker.retained.accepts(message);
  const code = refused ?? (noRoom ? reason.quotaExceeded : 0);
  if (code === 0 || version === 4) {
    session.unreleased.add(packetId);
    session.recordReceived(packetId);
  }
  const told = outgoing.pushBeforeTold(explainedAck(client, "pubrec", code, packetId), packetId);
  if (refused === undefined) publish(client, session, message);
  told();
}

/** Why it is not published, as a reason code. */
function refusal(client: Client, session: Session, message: Message): number | undefined {
  const { authorise, journal } = client.broker;
  const { name } = message.topic;
  const isReserved = isSystemTopic(name) ? !isBridgeState(name) : name.startsWith("$share/");
  const mayWrite = !isReserved && (authorise === undefined || authorise(session.identity, "write", name));
  if (!mayWrite) {
    client.broker.stats.dropped.denied++;
    return reason.notAuthorized;
  }
  const { properties, source, payloadStart, payloadEnd } = view;
  if (properties?.payloadFormatIndicator && !isUtf8(source.subarray(payloadStart, payloadEnd)))
    return reason.payloadFormatInvalid;
  if (journal?.failure === undefined || !isToBeKept(client, message)) return undefined;
  if (client.version === 5) return reason.quotaExceeded;
  throw new ProtocolFault(reason.quotaExceeded, "what it publishes cannot be made safe: the disk refuses it");
}

function messageOf(client: Client, topic: Topic): Message {
  const expiryS = view.properties?.messageExpiryInterval;
  const expiresAtMs = expiryS === undefined ? Number.POSITIVE_INFINITY : client.broker.timers.nowMs() + expiryS * 1000;
  const message = new Message(topic, view, expiresAtMs);
  message.volatile = client.listener.volatile ?? false;
  return message;
}

/** Does acknowledging it promise that it outlives the process? */
function isToBeKept({ broker }: Client, message: Message): boolean {
  if (message.qos === 0) return false;
  if (message.retain && !message.volatile) return true;
  const { direct, shares } = broker.tree.route(message.topic);
  return direct.some(({ subscriber }) => subscriber.isKept) || shares.some(({ isKept }) => isKept);
}

/** Returns the reason code to acknowledge it with. */
function publish(client: Client, session: Session, message: Message): number {
  const { reached, retained } = client.broker.publish(message, session);
  if (!retained) return reason.quotaExceeded;
  return reached === 0 ? reason.noMatchingSubscribers : reason.success;
}

/** A QoS 2 message that is there already is not published again [MQTT-4.3.3-10]; a new one needs room [MQTT-3.3.4-7]. */
function isRepeated(client: Client, session: Session, packetId: number): boolean {
  if (session.unreleased.has(packetId)) {
    if (view.dup && client.repeated.has(packetId)) throw protocolError("a QoS 2 message for the third time"); // as Mosquitto
    if (view.dup) client.repeated.add(packetId);
    return true;
  }
  const { receiveMaximum, queuedMessages } = client.broker.limits;
  // 3.1.1 clients are not told a receive maximum.
  const most = client.version === 5 ? receiveMaximum : Math.max(receiveMaximum, queuedMessages);
  if (session.unreleased.size >= most)
    throw new ProtocolFault(reason.receiveMaximumExceeded, "more unfinished messages than the receive maximum");
  return false;
}

function topicOf(client: Client, bytes: Buffer, { topicStart, topicEnd, properties }: PublishView): Topic {
  if (properties === undefined) return intern(client, bytes, topicStart, topicEnd);
  if (properties.subscriptionIdentifiers !== undefined) throw protocolError("PUBLISH with a subscription identifier"); // [MQTT-3.3.4-6]
  const { topicAlias } = properties;
  if (topicAlias === undefined) return intern(client, bytes, topicStart, topicEnd);
  if (topicAlias > client.broker.limits.topicAliasMaximum)
    throw new ProtocolFault(reason.topicAliasInvalid, `topic alias ${topicAlias}`); // [MQTT-3.3.2-9]
  if (topicEnd > topicStart) {
    const topic = intern(client, bytes, topicStart, topicEnd);
    client.topicAliases[topicAlias] = topic;
    return topic;
  }
  const topic = client.topicAliases[topicAlias];
  if (topic === undefined) throw protocolError(`topic alias ${topicAlias} was not assigned`);
  return topic;
}

function intern({ broker, mountPoint }: Client, bytes: Buffer, start: number, end: number): Topic {
  return mountPoint === undefined
    ? broker.topics.intern(bytes, start, end)
    : mountPoint.intern(broker.topics, bytes, start, end);
}
