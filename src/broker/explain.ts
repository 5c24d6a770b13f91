import type { Client } from "./client.ts";
import { encodeAck } from "./codec/acks.ts";
import type { Version } from "./codec/packets.ts";
import type { Properties } from "./codec/properties.ts";
import type { Wire } from "./codec/publish.ts";
import { reason } from "./codec/reasons.ts";
import { countRefusal } from "./stats.ts";
import { ackWire, plainWire } from "./wires.ts";

/**
 * Reason strings. They go to clients that ask for them with Request Problem Information = 1 in CONNECT, although the
 * specification lets a server send them where that is absent, too: Mosquitto sends none, and tools that compare whole
 * packets with it expect none.
 */

interface Explainable {
  readonly properties: Properties;
}

/** The packet with why it says what it says, if its client is told and takes packets of that size. */
export function encodeExplained<P extends Explainable>(
  { explains, version, outgoing }: Client,
  packet: P,
  why: string | undefined,
  encode: (packet: P, version: Version) => Buffer,
): Buffer {
  if (explains && why) {
    const properties = { ...packet.properties, reasonString: why.slice(0, maxLength) };
    const told = encode({ ...packet, properties }, version);
    if (told.length <= outgoing.maxPacketBytes) return told; // [MQTT-3.2.2-19] and its like for each packet
  }
  return encode(packet, version);
}

const maxLength = 200;

/** PUBACK or PUBREC; 3.1.1 knows success alone. */
export function explainedAck(client: Client, type: "puback" | "pubrec", code: number, packetId: number): Wire {
  if (code >= reason.unspecifiedError) countRefusal(client.broker.stats, code);
  if (client.version === 4) return ackWire(type, reason.success);
  if (code === reason.success || !client.explains) return ackWire(type, code);
  const packet = { type, packetId, reason: code, properties: {} } as const;
  return plainWire(encodeExplained(client, packet, whyNotPublished(client, code), encodeAck));
}

function whyNotPublished({ broker }: Client, code: number): string | undefined {
  switch (code) {
    case reason.noMatchingSubscribers:
      return "nobody is subscribed to it";
    case reason.notAuthorized:
      return "not allowed to publish there";
    case reason.payloadFormatInvalid:
      return "the payload says it is UTF-8 and is not";
    case reason.quotaExceeded:
      return broker.journal?.failure ? "the disk refuses it" : "there is no room for another retained message";
    default:
      return undefined;
  }
}

/** What of several answers needs words, each filter by its place in the request. */
export function whyOfEach(codes: readonly number[], sentences: Readonly<Record<number, string>>): string | undefined {
  const parts = codes.flatMap((code, index) => {
    const sentence = sentences[code];
    return sentence === undefined ? [] : [codes.length === 1 ? sentence : `filter ${index + 1}: ${sentence}`];
  });
  return parts.length > 0 ? parts.join("; ") : undefined;
}
