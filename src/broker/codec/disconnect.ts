import { frame, type Reader, Writer } from "./bytes.ts";
import type { AuthPacket, DisconnectPacket, Version } from "./packets.ts";
import { type Properties, type PropertyHolder, readProperties, writeProperties } from "./properties.ts";
import { malformed, protocolError, reason, unanswered } from "./reasons.ts";

/** Table 3-10: what DISCONNECT may say. */
const disconnectReasons: ReadonlySet<number> = new Set([
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
  0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
]);
const authReasons: ReadonlySet<number> = new Set([
  reason.success,
  reason.continueAuthentication,
  reason.reAuthenticate,
]);

export function decodeDisconnect(reader: Reader, version: Version): DisconnectPacket {
  if (version === 4) reader.expectEnd();
  const packet = { type: "disconnect", ...readReason(reader, "disconnect") } as const;
  if (!disconnectReasons.has(packet.reason)) throw unanswered(misplaced(packet.reason, "disconnect"));
  return packet;
}

export function decodeAuth(reader: Reader, version: Version): AuthPacket {
  if (version === 4) throw protocolError("AUTH does not exist in MQTT 3.1.1");
  const packet = { type: "auth", ...readReason(reader, "auth") } as const;
  if (!authReasons.has(packet.reason)) throw malformed(misplaced(packet.reason, "auth"));
  return packet;
}

/** DISCONNECT and AUTH alike: reason and properties may be left out from the end (3.14.2.1, 3.15.2.1). */
function readReason(reader: Reader, holder: PropertyHolder) {
  const code = reader.remaining > 0 ? reader.u8() : reason.success;
  const properties: Properties = reader.remaining > 0 ? readProperties(reader, holder) : {};
  reader.expectEnd();
  return { reason: code, properties };
}

const misplaced = (code: number, holder: PropertyHolder) =>
  `reason 0x${code.toString(16)} does not belong in ${holder}`;

export function encodeDisconnect(packet: DisconnectPacket, version: Version): Buffer {
  return frame(0xe0, version === 5 ? writeReason(packet) : new Writer());
}

export function encodeAuth(packet: AuthPacket): Buffer {
  return frame(0xf0, writeReason(packet));
}

function writeReason(packet: DisconnectPacket | AuthPacket): Writer {
  const body = new Writer();
  const withProperties = Object.keys(packet.properties).length > 0;
  if (packet.reason !== reason.success || withProperties) body.u8(packet.reason);
  if (withProperties) writeProperties(body, packet.properties);
  return body;
}
