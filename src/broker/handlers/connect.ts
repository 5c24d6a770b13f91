import { isUtf8 } from "node:buffer";
import { authenticate } from "../authentication.ts";
import type { Client } from "../client.ts";
import { Reader } from "../codec/bytes.ts";
import { decodeConnect, encodeConnack, UnknownVersion } from "../codec/connect.ts";
import type { ConnackPacket, ConnectPacket } from "../codec/packets.ts";
import type { Properties } from "../codec/properties.ts";
import { connackCodeV4, malformed, ProtocolFault, reason, UnansweredFault, unanswered } from "../codec/reasons.ts";
import { isSystemTopic } from "../codec/topic-rules.ts";
import { type Door, doorOf } from "../door.ts";
import { encodeExplained } from "../explain.ts";
import { type Identity, nameOf } from "../options.ts";
import type { Topic } from "../routing/topic-table.ts";
import { OutgoingAliases } from "../sessions/outgoing-aliases.ts";
import { willOf } from "../sessions/will.ts";
import { countRefusal } from "../stats.ts";

/** CONNECT: refused with the reason that its version has a word for, or handed on to authentication. */
export function handleFirstPacket(client: Client, first: number, bytes: Buffer, start: number, end: number): void {
  let connect: ConnectPacket;
  try {
    connect = decodeConnect(first, new Reader(bytes, start, end));
    client.version = connect.version;
    client.explains = connect.properties.requestProblemInformation ?? false;
    client.outgoing.maxPacketBytes = connect.properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    check(client, connect);
  } catch (error) {
    if (!(error instanceof ProtocolFault)) throw error;
    const isVersion5 = bytes[start + levelAt] === 5;
    const inVersion5 = error instanceof UnknownVersion ? error.answerVersion === 5 : isVersion5;
    if (error instanceof UnansweredFault) client.endUnanswered(error.reason, error.message);
    else refuse(client, error.reason, error.message, inVersion5);
    return;
  }
  client.state = "authenticating";
  client.pause();
  void acceptWhenAuthenticated(client, connect);
}

/** Where the protocol level stands in the body, behind `MQTT` and its length. */
const levelAt = 6;

function check(client: Client, connect: ConnectPacket): void {
  if (connect.version === 5 && client.parser.longHeader)
    throw malformed("the remaining length is longer than it needs to be");
  if (connect.version === 4 && connect.clientId === "" && (!connect.cleanStart || connect.isMqtt31))
    throw new ProtocolFault(reason.clientIdentifierNotValid, "no client id, and nobody to be given one"); // 3.1.1: [MQTT-3.1.3-8]
  if (connect.properties.authenticationMethod !== undefined)
    throw new ProtocolFault(reason.badAuthenticationMethod, "no authentication method is supported");
  if (connect.will?.properties.payloadFormatIndicator && !isUtf8(connect.will.payload))
    throw new ProtocolFault(reason.payloadFormatInvalid, "the will says it is UTF-8 and is not");
  if (connect.will && connect.will.qos > (client.listener.maxQos ?? 2))
    throw new ProtocolFault(reason.qosNotSupported, `a will at QoS ${connect.will.qos}`); // [MQTT-3.2.2-12]
  if (connect.will) willTopic(client, connect.will.topic);
}

function willTopic({ broker, mountPoint }: Client, asked: string): Topic {
  const bytes = Buffer.from(asked, "utf8");
  const { topics } = broker;
  const topic = mountPoint ? mountPoint.intern(topics, bytes, 0, bytes.length) : topics.intern(bytes, 0, bytes.length);
  if (topic.name.startsWith("$CONTROL/")) throw unanswered("a will to the topics that control other brokers");
  if (isSystemTopic(topic.name)) throw new ProtocolFault(reason.notAuthorized, "a will to the broker's own topics");
  return topic;
}

function refuse(client: Client, code: number, why: string, inVersion5: boolean, door: Door = doorOf(code)): void {
  countRefusal(client.broker.stats, code);
  client.door = door;
  const answer = inVersion5 ? code : connackCodeV4(code);
  // No session present beside a refusal [MQTT-3.2.2-6].
  if (answer !== undefined) {
    const connack = { type: "connack", sessionPresent: false, reason: answer, properties: {} } as const;
    const encode = (packet: ConnackPacket) => encodeConnack(packet, inVersion5 ? 5 : 4);
    client.send(encodeExplained(client, connack, why, encode));
  }
  client.drop(why);
}

async function acceptWhenAuthenticated(client: Client, connect: ConnectPacket): Promise<void> {
  const { broker } = client;
  const clientId = connect.clientId === "" ? broker.newClientId() : connect.clientId;
  await broker.access.settled;
  const result = await authenticate(client, connect, clientId);
  if (client.state !== "authenticating") return;
  const identity: Identity = {
    clientId,
    ...("username" in result && { username: result.username }),
    aclFile: client.listener.aclFile,
  };
  client.identity = identity;
  if ("refused" in result) refuse(client, result.refused, "not let in", client.version === 5);
  else accept(client, connect, identity);
}

function accept(client: Client, connect: ConnectPacket, identity: Identity): void {
  const { sessions, limits, stats, log, journal } = client.broker;
  const owner = "path" in client.listener ? client.listener.identity : undefined;
  if (sessions.isReserved(identity.clientId, owner)) {
    refuse(client, reason.clientIdentifierNotValid, "its client id is not free", client.version === 5);
    return;
  }
  const expiryS = sessionExpiryS(connect, limits.sessionExpiryS);
  const opened = sessions.open(identity, connect.cleanStart, expiryS > 0, owner);
  if (opened === undefined) {
    const [door, why] = journal?.failure
      ? (["disk", "the disk refuses another session"] as const)
      : (["no_room", "no room for another session"] as const);
    refuse(client, reason.quotaExceeded, why, client.version === 5, door);
    return;
  }
  const { session, present } = opened;
  session.expiryMs = expiryS * 1000;
  session.will = connect.will && willOf(connect.will, willTopic(client, connect.will.topic));
  const keepAliveS = keepAlive(connect, limits.keepAliveS);
  client.connectExpiryS = expiryS;
  client.outgoing.version = client.version;
  const aliases = Math.min(connect.properties.topicAliasMaximum ?? 0, limits.topicAliasMaximum);
  if (aliases > 0) client.outgoing.aliases = new OutgoingAliases(aliases);
  client.parser.strictLength = client.version === 5;
  client.parser.repeatsAreMarked = connect.isMqtt31 ?? false;
  stats.clients++;
  stats.connects++;
  log.info("client connected", { ...nameOf(identity), address: client.address, version: client.version, keepAliveS });
  client.opened(session, keepAliveS);
  if (!client.listener.volatile) session.recordAttached();
  const shownPresent = present && !connect.isMqtt31; // 3.1 has no such flag
  const connack = encodeConnack(
    connackOf(client, connect, identity, shownPresent, expiryS, keepAliveS),
    client.version,
  );
  // While the disk refuses everything, who has a session may still get what waits in it.
  const sent = journal?.failure ? client.send(connack) : client.sendWhenSafe(connack);
  if (!sent) {
    session.will = undefined; // it was never connected
    session.link = client;
    client.drop("its maximum packet size is too small for CONNACK"); // [MQTT-3.1.2-24]
    return;
  }
  session.attach(client, Math.min(limits.inflightMessages, connect.properties.receiveMaximum ?? 0xffff));
  client.resume();
}

/** 3.1.1 knows only until the connection ends, or as long as we keep it. */
function sessionExpiryS(connect: ConnectPacket, maxS: number): number {
  if (connect.version === 4) return connect.cleanStart ? 0 : maxS;
  return Math.min(connect.properties.sessionExpiryInterval ?? 0, maxS);
}

function keepAlive(connect: ConnectPacket, maxS: number): number {
  if (connect.version === 4) return connect.keepAliveS;
  return connect.keepAliveS === 0 || connect.keepAliveS > maxS ? maxS : connect.keepAliveS;
}

/** States what differs from what the client asked for or may expect, and the limits. */
function connackOf(
  client: Client,
  connect: ConnectPacket,
  identity: Identity,
  sessionPresent: boolean,
  expiryS: number,
  keepAliveS: number,
): ConnackPacket {
  const { limits } = client.broker;
  const { maxQos = 2 } = client.listener;
  // In the order Mosquitto writes them, so that tools that compare bytes agree.
  const properties: Properties = {
    ...(keepAliveS !== connect.keepAliveS && { serverKeepAlive: keepAliveS }),
    topicAliasMaximum: limits.topicAliasMaximum,
    ...(expiryS !== (connect.properties.sessionExpiryInterval ?? 0) && { sessionExpiryInterval: expiryS }),
    ...(connect.clientId === "" && { assignedClientIdentifier: identity.clientId }),
    maximumPacketSize: limits.packetBytes,
    receiveMaximum: limits.receiveMaximum,
    ...(maxQos < 2 && { maximumQos: maxQos }),
  };
  return { type: "connack", sessionPresent, reason: reason.success, properties };
}
