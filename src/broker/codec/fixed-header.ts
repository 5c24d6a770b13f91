import { packetType } from "./packets.ts";
import { malformed, protocolError, unanswered } from "./reasons.ts";

/**
 * Judges the first byte of a packet: type 0 does not exist, and apart from PUBLISH the flags are fixed (table 2-2,
 * [MQTT-2.1.3-1], 3.1.1: [MQTT-2.2.2-2]). Types that a client must not send are protocol errors whatever their flags.
 */
export function checkFirstByte(first: number): void {
  if (validFirstByte[first] === 1) return;
  const why = `0x${first.toString(16).padStart(2, "0")} does not begin a packet`;
  throw neverSentByClients.has(first >> 4) ? protocolError(why) : malformed(why);
}

/** The types whose flags Mosquitto does not look at: the reserved one, CONNACK, and AUTH outside an exchange. */
const neverSentByClients: ReadonlySet<number> = new Set([0, packetType.connack, packetType.auth]);

const validFirstByte = (() => {
  const valid = new Uint8Array(256);
  for (let type = 1; type <= 15; type++) valid[(type << 4) | flagsOf(type)] = 1;
  for (let flags = 0; flags < 16; flags++) valid[0x30 | flags] = isPublishFlags(flags) ? 1 : 0;
  return valid;
})();

function flagsOf(type: number): number {
  return type === 6 || type === 8 || type === 10 ? 2 : 0;
}

/** No QoS 3 [MQTT-3.3.1-4], no DUP at QoS 0 [MQTT-3.3.1-2]. */
function isPublishFlags(flags: number): boolean {
  const qos = (flags >> 1) & 3;
  const dup = flags >> 3;
  return qos !== 3 && !(dup === 1 && qos === 0);
}

/**
 * Where the body of the packet begins that starts at `start`, or -1 while the remaining length is not complete.
 * `remainingLength(bytes, start, bodyStart)` then is its length.
 */
export function findBody(bytes: Buffer, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    if ((bytes[at] as number) < 0x80) return at + 1;
    if (at === start + 4) throw unanswered("the remaining length is longer than four bytes");
  }
  return -1;
}

export function remainingLength(bytes: Buffer, start: number, bodyStart: number): number {
  let value = 0;
  for (let at = bodyStart - 1; at > start; at--) value = (value << 7) | ((bytes[at] as number) & 0x7f);
  return value;
}
