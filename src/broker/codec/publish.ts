import { maxVariableByteInteger, Reader, Writer } from "./bytes.ts";
import type { PublishPacket, Qos, Version } from "./packets.ts";
import { type Properties, readProperty, writePropertiesWithoutLength } from "./properties.ts";
import { malformed, protocolError } from "./reasons.ts";
import { isTopicName } from "./topic-rules.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * The codec's fast path: PUBLISH and PUBACK are read where they lie in the socket's chunk, and a PUBLISH for many
 * subscribers is written once. Measured beside a parser that makes objects: about ten times the messages a second.
 */

/** Where the parts of a PUBLISH lie in `source`. One is filled again and again; what is kept must be copied out. */
export interface PublishView {
  source: Buffer;
  qos: Qos;
  retain: boolean;
  dup: boolean;
  /** 0 with QoS 0. */
  packetId: number;
  /** The topic lies in the bytes that were read, even where `source` is another buffer. */
  topicStart: number;
  topicEnd: number;
  /** The properties to be forwarded: without length and topic alias. */
  propertiesStart: number;
  payloadStart: number;
  payloadEnd: number;
  /** Undefined where there are none. */
  properties: Properties | undefined;
  /** Of the four bytes of the message expiry interval, relative to `propertiesStart`; -1 without. */
  expiryAt: number;
}

export function newPublishView(): PublishView {
  return {
    source: Buffer.alloc(0),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    topicStart: 0,
    topicEnd: 0,
    propertiesStart: 0,
    payloadStart: 0,
    payloadEnd: 0,
    properties: undefined,
    expiryAt: -1,
  };
}

/** Reads the body of a PUBLISH whose first byte was checked. The topic is left as bytes for the topic table. */
export function parsePublish(
  first: number,
  bytes: Buffer,
  start: number,
  end: number,
  version: Version,
  view: PublishView,
): void {
  const qos = ((first >> 1) & 3) as Qos;
  if (end - start < 2) throw malformed("PUBLISH ends in the middle of its topic");
  const topicStart = start + 2;
  const topicEnd = topicStart + (((bytes[start] as number) << 8) | (bytes[start + 1] as number));
  const at = qos === 0 ? topicEnd : topicEnd + 2;
  if (at > end) throw malformed("PUBLISH ends in the middle of its topic or packet identifier");
  const packetId = qos === 0 ? 0 : u16(bytes, topicEnd);
  if (packetId === 0 && qos !== 0) throw protocolError("PUBLISH with packet identifier 0"); // [MQTT-2.2.1-3]
  view.source = bytes;
  view.qos = qos;
  view.retain = (first & 1) !== 0;
  view.dup = (first & 8) !== 0;
  view.packetId = packetId;
  view.topicStart = topicStart;
  view.topicEnd = topicEnd;
  view.payloadEnd = end;
  view.propertiesStart = at;
  view.payloadStart = at;
  view.properties = undefined;
  view.expiryAt = -1;
  if (version === 5) parseProperties(bytes, at, end, view);
}

function parseProperties(bytes: Buffer, start: number, end: number, view: PublishView): void {
  if (start >= end) throw malformed("PUBLISH ends before its properties");
  if (bytes[start] === 0) {
    view.propertiesStart = start + 1;
    view.payloadStart = start + 1;
    return;
  }
  const reader = new Reader(bytes, start, end);
  const section = reader.section(reader.variableByteInteger());
  view.propertiesStart = section.at;
  view.payloadStart = section.end;
  const properties: Properties = {};
  view.properties = properties;
  let aliasAt = -1;
  let expiryAt = -1;
  while (section.remaining > 0) {
    const at = section.at;
    const id = readProperty(section, "publish", properties);
    if (id === propertyId.topicAlias) aliasAt = at;
    if (id === propertyId.messageExpiry) expiryAt = at;
  }
  if (expiryAt >= 0 && expiryAt < section.end - expiryBytes) moveExpiry(view, expiryAt, aliasAt);
  else if (aliasAt >= 0) cutAlias(view, aliasAt);
  if (expiryAt >= 0) view.expiryAt = view.payloadStart - view.propertiesStart - 4;
}

const propertyId = { messageExpiry: 0x02, topicAlias: 0x23 } as const;
const aliasBytes = 3;
const expiryBytes = 5;

/** An alias holds for one connection only, so it is not forwarded [MQTT-3.3.2-7]. */
function cutAlias(view: PublishView, aliasAt: number): void {
  const { source, propertiesStart, payloadStart } = view;
  const head = [source.subarray(propertiesStart, aliasAt), source.subarray(aliasAt + aliasBytes, payloadStart)];
  replaceProperties(view, head);
}

/** The expiry, which changes on the way, goes last: so does Mosquitto's, with which byte-exact tools compare. */
function moveExpiry(view: PublishView, expiryAt: number, aliasAt: number): void {
  const { source, propertiesStart, payloadStart } = view;
  const skipped = [
    { at: expiryAt, bytes: expiryBytes },
    { at: aliasAt, bytes: aliasBytes },
  ].filter(({ at }) => at >= 0);
  const kept: Buffer[] = [];
  let from = propertiesStart;
  for (const { at, bytes } of skipped.sort((a, b) => a.at - b.at)) {
    kept.push(source.subarray(from, at));
    from = at + bytes;
  }
  kept.push(source.subarray(from, payloadStart), source.subarray(expiryAt, expiryAt + expiryBytes));
  replaceProperties(view, kept);
}

function replaceProperties(view: PublishView, properties: readonly Buffer[]): void {
  const payload = view.source.subarray(view.payloadStart, view.payloadEnd);
  view.source = Buffer.concat([...properties, payload]);
  view.propertiesStart = 0;
  view.payloadStart = view.source.length - payload.length;
  view.payloadEnd = view.source.length;
}

/** The packet identifier of a PUBACK, PUBREC, PUBREL or PUBCOMP that says nothing but success; else 0. */
export function parseShortAck(bytes: Buffer, start: number, end: number): number {
  return end - start === 2 ? u16(bytes, start) : 0;
}

function u16(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** A packet ready for the wire, shared by everyone who gets it; what differs is patched into each one's copy. */
export interface Wire {
  readonly bytes: Buffer;
  /** Of the packet identifier; -1 without. */
  readonly packetIdAt: number;
  /** Of the message expiry interval; -1 without. */
  readonly expiryAt: number;
  /** On the monotonic clock; Infinity without. */
  readonly expiresAtMs: number;
  /** Of the properties behind their length, and of the payload. */
  readonly propertiesStart: number;
  readonly payloadStart: number;
}

/** What a PUBLISH consists of, wherever it lies. */
export interface PublishParts {
  readonly topicBytes: Buffer;
  readonly source: Buffer;
  readonly propertiesStart: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly expiryAt: number;
  readonly expiresAtMs: number;
}

const noBytes = Buffer.alloc(0);

/** Writes a PUBLISH once. MQTT 3.1.1 gets no properties; `subscriptionIds` go before the publisher's own. */
export function encodePublish(
  parts: PublishParts,
  version: Version,
  qos: Qos,
  retain: boolean,
  subscriptionIds?: readonly number[],
): Wire {
  const { topicBytes, source, payloadStart, payloadEnd } = parts;
  const ids = version === 5 && subscriptionIds !== undefined ? encodeSubscriptionIds(subscriptionIds) : noBytes;
  const ownProperties = version === 5 ? payloadStart - parts.propertiesStart : 0;
  const propertyBytes = ownProperties + ids.length;
  const propertyLengthBytes = version === 5 ? lengthBytes(propertyBytes) : 0;
  const packetIdBytes = qos === 0 ? 0 : 2;
  const payloadBytes = payloadEnd - payloadStart;
  const remaining = 2 + topicBytes.length + packetIdBytes + propertyLengthBytes + propertyBytes + payloadBytes;
  const headBytes = 1 + lengthBytes(remaining);
  const bytes = Buffer.allocUnsafe(headBytes + remaining);
  bytes[0] = 0x30 | (qos << 1) | (retain ? 1 : 0);
  writeLength(bytes, 1, remaining);
  bytes[headBytes] = topicBytes.length >> 8;
  bytes[headBytes + 1] = topicBytes.length & 0xff;
  bytes.set(topicBytes, headBytes + 2);
  const packetIdAt = headBytes + 2 + topicBytes.length;
  const propertiesStart = packetIdAt + packetIdBytes + propertyLengthBytes;
  if (version === 5) {
    writeLength(bytes, packetIdAt + packetIdBytes, propertyBytes);
    bytes.set(ids, propertiesStart);
    source.copy(bytes, propertiesStart + ids.length, parts.propertiesStart, payloadStart);
  }
  source.copy(bytes, propertiesStart + propertyBytes, payloadStart, payloadEnd);
  return {
    bytes,
    packetIdAt: qos === 0 ? -1 : packetIdAt,
    expiryAt: version === 5 && parts.expiryAt >= 0 ? propertiesStart + ids.length + parts.expiryAt : -1,
    expiresAtMs: parts.expiresAtMs,
    propertiesStart,
    payloadStart: propertiesStart + propertyBytes,
  };
}

function encodeSubscriptionIds(ids: readonly number[]): Buffer {
  const writer = new Writer();
  writePropertiesWithoutLength(writer, { subscriptionIdentifiers: [...ids] });
  return writer.done();
}

/** How many bytes a length takes on the wire. */
export function lengthBytes(value: number): number {
  if (value > maxVariableByteInteger) throw new RangeError(`${value} bytes do not fit a packet`);
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

export function writeLength(bytes: Buffer, at: number, value: number): void {
  let rest = value;
  let to = at;
  while (rest > 0x7f) {
    bytes[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[to] = rest;
}

/** PUBLISH as an object, for whoever is not in a hurry. */
export function decodePublish(
  first: number,
  bytes: Buffer,
  start: number,
  end: number,
  version: Version,
): PublishPacket {
  const view = newPublishView();
  parsePublish(first, bytes, start, end, version, view);
  const topic = decodeUtf8(bytes, view.topicStart, view.topicEnd);
  if (topic === "" && view.properties?.topicAlias === undefined) throw malformed("no topic and no topic alias");
  if (topic !== "" && !isTopicName(topic)) throw malformed("the topic has a wildcard"); // [MQTT-3.3.2-2]
  return {
    type: "publish",
    topic,
    payload: Buffer.from(view.source.subarray(view.payloadStart, view.payloadEnd)),
    qos: view.qos,
    retain: view.retain,
    dup: view.dup,
    packetId: view.packetId,
    properties: view.properties ?? {},
  };
}

export function encodePublishPacket(packet: PublishPacket, version: Version): Buffer {
  const writer = new Writer();
  writePropertiesWithoutLength(writer, packet.properties);
  const properties = writer.done();
  const parts: PublishParts = {
    topicBytes: Buffer.from(packet.topic, "utf8"),
    source: Buffer.concat([properties, packet.payload]),
    propertiesStart: 0,
    payloadStart: properties.length,
    payloadEnd: properties.length + packet.payload.length,
    expiryAt: -1,
    expiresAtMs: Number.POSITIVE_INFINITY,
  };
  const { bytes, packetIdAt } = encodePublish(parts, version, packet.qos, packet.retain);
  if (packetIdAt >= 0) bytes.writeUInt16BE(packet.packetId, packetIdAt);
  if (packet.dup) bytes[0] = (bytes[0] as number) | 8;
  return bytes;
}
