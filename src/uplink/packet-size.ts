import type { Protocol, Publication } from "./link.ts";

/** Bytes of the PUBLISH packet (MQTT 5 §3.3), the fixed header included. */
export function publishSize(message: Publication, protocol: Protocol): number {
  const topic = 2 + Buffer.byteLength(message.topic);
  const id = message.qos > 0 ? 2 : 0;
  const properties = protocol === "5" ? withLength(propertiesSize(message)) : 0;
  return 1 + withLength(topic + id + properties + Buffer.byteLength(message.payload));
}

function propertiesSize({ expirySeconds, correlationData }: Publication): number {
  return (expirySeconds === undefined ? 0 : 5) + (correlationData ? 3 + correlationData.length : 0);
}

/** A part with its length before it, as a variable byte integer of seven bits a byte (§1.5.5). */
function withLength(bytes: number): number {
  if (bytes < 0x80) return bytes + 1;
  if (bytes < 0x4000) return bytes + 2;
  return bytes < 0x200000 ? bytes + 3 : bytes + 4;
}
