import { lengthBytes, type Wire, writeLength } from "./publish.ts";

/** Identifier and value. */
export const aliasBytes = 3;
const aliasId = 0x23;

/** Where the topic lies in a PUBLISH. */
export function topicOf({ bytes }: Wire): { start: number; end: number } {
  let at = 1;
  while ((bytes[at] as number) > 0x7f) at++;
  const start = at + 3;
  return { start, end: start + (((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)) };
}

/** The PUBLISH of MQTT 5.0 with a topic alias before its other properties, and without its topic where the client knows it. */
export function withTopicAlias(wire: Wire, alias: number, isKnown: boolean): Wire {
  const { start, end } = topicOf(wire);
  const { bytes, packetIdAt, propertiesStart, payloadStart, expiryAt } = wire;
  const topic = bytes.subarray(start, isKnown ? start : end);
  const packetId = bytes.subarray(end, packetIdAt < 0 ? end : end + 2);
  const rest = bytes.subarray(propertiesStart);
  const propertyBytes = aliasBytes + payloadStart - propertiesStart;
  const remaining = 2 + topic.length + packetId.length + lengthBytes(propertyBytes) + aliasBytes + rest.length;
  const topicAt = 1 + lengthBytes(remaining) + 2;
  const aliased = Buffer.allocUnsafe(topicAt - 2 + remaining);
  aliased[0] = bytes[0] as number;
  writeLength(aliased, 1, remaining);
  aliased.writeUInt16BE(topic.length, topicAt - 2);
  aliased.set(topic, topicAt);
  const newPacketIdAt = topicAt + topic.length;
  aliased.set(packetId, newPacketIdAt);
  const lengthAt = newPacketIdAt + packetId.length;
  writeLength(aliased, lengthAt, propertyBytes);
  const aliasAt = lengthAt + lengthBytes(propertyBytes);
  aliased[aliasAt] = aliasId;
  aliased.writeUInt16BE(alias, aliasAt + 1);
  aliased.set(rest, aliasAt + aliasBytes);
  const moved = aliasAt + aliasBytes - propertiesStart;
  return {
    bytes: aliased,
    packetIdAt: packetIdAt < 0 ? -1 : newPacketIdAt,
    expiryAt: expiryAt < 0 ? -1 : expiryAt + moved,
    expiresAtMs: wire.expiresAtMs,
    propertiesStart: aliasAt,
    payloadStart: payloadStart + moved,
  };
}
