import { readPacketId } from "./acks.ts";
import { frame, type Reader, Writer } from "./bytes.ts";
import type { UnsubackPacket, UnsubscribePacket, Version } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { malformed } from "./reasons.ts";
import { readFilter } from "./subscribe.ts";

export function decodeUnsubscribe(reader: Reader, version: Version): UnsubscribePacket {
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, "unsubscribe") : {};
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(readFilter(reader));
  if (filters.length === 0) throw malformed("UNSUBSCRIBE without a filter"); // [MQTT-3.10.3-2]
  return { type: "unsubscribe", packetId, filters, properties };
}

export function encodeUnsubscribe(packet: UnsubscribePacket, version: Version): Buffer {
  const body = new Writer();
  body.u16(packet.packetId);
  if (version === 5) writeProperties(body, packet.properties);
  for (const filter of packet.filters) body.string(filter);
  return frame(0xa2, body);
}

export function decodeUnsuback(reader: Reader, version: Version): UnsubackPacket {
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, "unsuback") : {};
  const reasons = version === 5 ? [...reader.rest()] : [];
  reader.expectEnd();
  return { type: "unsuback", packetId, reasons, properties };
}

export function encodeUnsuback(packet: UnsubackPacket, version: Version): Buffer {
  const body = new Writer();
  body.u16(packet.packetId);
  if (version === 5) {
    writeProperties(body, packet.properties);
    body.raw(Uint8Array.from(packet.reasons));
  }
  return frame(0xb0, body);
}
