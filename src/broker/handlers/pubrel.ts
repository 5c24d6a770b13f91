import type { Client } from "../client.ts";
import type { AckPacket } from "../codec/packets.ts";
import { reason } from "../codec/reasons.ts";
import { ackWire } from "../wires.ts";

/** Answered with PUBCOMP [MQTT-4.3.3-11]; from here on the identifier stands for a new message. */
export function handlePubrel(client: Client, { packetId }: AckPacket): void {
  const known = client.session?.unreleased.delete(packetId) ?? false;
  const code = known || client.version === 4 ? reason.success : reason.packetIdentifierNotFound;
  client.outgoing.push(ackWire("pubcomp", code), packetId);
}
