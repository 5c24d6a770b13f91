import { decodeAck, encodeAck } from "./acks.ts";
import { Reader } from "./bytes.ts";
import { decodeConnack, decodeConnect, encodeConnack, encodeConnect } from "./connect.ts";
import { decodeAuth, decodeDisconnect, encodeAuth, encodeDisconnect } from "./disconnect.ts";
import { type Packet, packetType, type Version } from "./packets.ts";
import { decodePublish, encodePublishPacket } from "./publish.ts";
import { malformed } from "./reasons.ts";
import { decodeSuback, decodeSubscribe, encodeSuback, encodeSubscribe } from "./subscribe.ts";
import { decodeUnsuback, decodeUnsubscribe, encodeUnsuback, encodeUnsubscribe } from "./unsubscribe.ts";

/**
 * One packet as an object. `first` was checked by `checkFirstByte`; its body is `bytes` from `start` to `end`.
 * Throws ProtocolFault with the reason code to give. CONNECT tells its version itself.
 */
export function decodePacket(first: number, bytes: Buffer, start: number, end: number, version: Version): Packet {
  const reader = new Reader(bytes, start, end);
  switch (first >> 4) {
    case packetType.connect:
      return decodeConnect(first, reader);
    case packetType.connack:
      return decodeConnack(reader, version);
    case packetType.publish:
      return decodePublish(first, bytes, start, end, version);
    case packetType.puback:
      return decodeAck("puback", reader, version);
    case packetType.pubrec:
      return decodeAck("pubrec", reader, version);
    case packetType.pubrel:
      return decodeAck("pubrel", reader, version);
    case packetType.pubcomp:
      return decodeAck("pubcomp", reader, version);
    case packetType.subscribe:
      return decodeSubscribe(reader, version);
    case packetType.suback:
      return decodeSuback(reader, version);
    case packetType.unsubscribe:
      return decodeUnsubscribe(reader, version);
    case packetType.unsuback:
      return decodeUnsuback(reader, version);
    case packetType.pingreq:
      reader.expectEnd();
      return { type: "pingreq" };
    case packetType.pingresp:
      reader.expectEnd();
      return { type: "pingresp" };
    case packetType.disconnect:
      return decodeDisconnect(reader, version);
    case packetType.auth:
      return decodeAuth(reader, version);
    default:
      throw malformed("packet type 0");
  }
}

/** Throws RangeError for what the format cannot hold. */
export function encodePacket(packet: Packet, version: Version): Buffer {
  switch (packet.type) {
    case "connect":
      return encodeConnect(packet);
    case "connack":
      return encodeConnack(packet, version);
    case "publish":
      return encodePublishPacket(packet, version);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return encodeAck(packet, version);
    case "subscribe":
      return encodeSubscribe(packet, version);
    case "suback":
      return encodeSuback(packet, version);
    case "unsubscribe":
      return encodeUnsubscribe(packet, version);
    case "unsuback":
      return encodeUnsuback(packet, version);
    case "pingreq":
      return Buffer.from([0xc0, 0]);
    case "pingresp":
      return Buffer.from([0xd0, 0]);
    case "disconnect":
      return encodeDisconnect(packet, version);
    case "auth":
      return encodeAuth(packet);
  }
}
