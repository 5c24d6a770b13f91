import { readPacketId } from "./acks.ts";
import { frame, type Reader, Writer } from "./bytes.ts";
import type { Qos, SubackPacket, SubscribePacket, SubscriptionRequest, Version } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { malformed, protocolError } from "./reasons.ts";
import { isTopicFilter, sharedFilter } from "./topic-rules.ts";

export function decodeSubscribe(reader: Reader, version: Version): SubscribePacket {
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, "subscribe") : {};
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.remaining > 0) subscriptions.push(readRequest(reader, version));
  if (subscriptions.length === 0) throw malformed("SUBSCRIBE without a filter"); // [MQTT-3.8.3-2]
  return { type: "subscribe", packetId, subscriptions, properties };
}

function readRequest(reader: Reader, version: Version): SubscriptionRequest {
  const filter = readFilter(reader);
  const options = reader.u8();
  const qos = options & 3;
  const retainHandling = (options >> 4) & 3;
  if (qos === 3) throw malformed("subscription with QoS 3"); // [MQTT-3.8.3-5], 3.1.1: [MQTT-3-8.3-4]
  if (options & (version === 5 ? 0xc0 : 0xfc)) throw malformed("reserved bits of the subscription options are set");
  if (retainHandling === 3) throw malformed("retain handling 3");
  const noLocal = (options & 0x04) !== 0;
  const shared = sharedFilter(filter);
  if (shared === "malformed") throw protocolError(`${JSON.stringify(filter.slice(0, 80))} has no share name or filter`);
  if (noLocal && shared !== undefined) throw protocolError("no local on a shared subscription"); // [MQTT-3.8.3-4]
  return {
    filter,
    qos: qos as Qos,
    noLocal,
    retainAsPublished: (options & 0x08) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

export function readFilter(reader: Reader): string {
  const filter = reader.string();
  if (!isTopicFilter(filter)) throw malformed(`${JSON.stringify(filter.slice(0, 80))} is not a topic filter`);
  return filter;
}

export function encodeSubscribe(packet: SubscribePacket, version: Version): Buffer {
  const body = new Writer();
  body.u16(packet.packetId);
  if (version === 5) writeProperties(body, packet.properties);
  for (const request of packet.subscriptions) {
    body.string(request.filter);
    body.u8(optionsOf(request));
  }
  return frame(0x82, body);
}

function optionsOf(request: SubscriptionRequest): number {
  const { qos, noLocal, retainAsPublished, retainHandling } = request;
  return qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
}

export function decodeSuback(reader: Reader, version: Version): SubackPacket {
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, "suback") : {};
  return { type: "suback", packetId, reasons: [...reader.rest()], properties };
}

export function encodeSuback(packet: SubackPacket, version: Version): Buffer {
  const body = new Writer();
  body.u16(packet.packetId);
  if (version === 5) writeProperties(body, packet.properties);
  body.raw(Uint8Array.from(packet.reasons));
  return frame(0x90, body);
}
