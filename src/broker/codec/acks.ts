import { frame, type Reader, Writer } from "./bytes.ts";
import { type AckPacket, type AckType, packetType, type Version } from "./packets.ts";
import { type Properties, readProperties, writeProperties } from "./properties.ts";
import { malformed, protocolError, reason } from "./reasons.ts";

/** PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7) have one form; they differ in the reasons they may give. */
const received: ReadonlySet<number> = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
const released: ReadonlySet<number> = new Set([reason.success, reason.packetIdentifierNotFound]);

const reasonsOf = { puback: received, pubrec: received, pubrel: released, pubcomp: released } as const;

export function decodeAck(type: AckType, reader: Reader, version: Version): AckPacket {
  const packetId = reader.u16();
  if (packetId === 0) throw protocolError(`${type} with packet identifier 0`);
  if (version === 4 || reader.remaining === 0) {
    reader.expectEnd();
    return { type, packetId, reason: reason.success, properties: {} };
  }
  const code = reader.u8();
  if (!reasonsOf[type].has(code)) throw protocolError(`reason 0x${code.toString(16)} does not belong in ${type}`);
  const properties: Properties = reader.remaining > 0 ? readProperties(reader, type) : {};
  reader.expectEnd();
  return { type, packetId, reason: code, properties };
}

export function encodeAck(packet: AckPacket, version: Version): Buffer {
  const body = new Writer();
  body.u16(packet.packetId);
  const withProperties = Object.keys(packet.properties).length > 0;
  if (version === 5 && (packet.reason !== reason.success || withProperties)) {
    body.u8(packet.reason);
    if (withProperties) writeProperties(body, packet.properties);
  }
  return frame((packetType[packet.type] << 4) | (packet.type === "pubrel" ? 2 : 0), body);
}

/** Never 0 [MQTT-2.2.1-3]. */
export function readPacketId(reader: Reader): number {
  const id = reader.u16();
  if (id === 0) throw malformed("packet identifier 0");
  return id;
}
