import type { Client } from "../client.ts";
import type { AckPacket } from "../codec/packets.ts";
import { ackWire } from "../wires.ts";

/**
 * Answered with PUBCOMP [MQTT-4.3.3-11], also where the identifier is not known: it may be repeated after a
 * reconnection. From here on the identifier stands for a new message [MQTT-4.3.3-12].
 */
export function handlePubrel(client: Client, { packetId }: AckPacket): void {
  const head = client.broker.journal?.head;
  client.repeated.delete(packetId);
  if (client.session?.unreleased.delete(packetId)) client.session.recordReceiptEnded(packetId);
  client.acknowledge(ackWire("pubcomp", 0), packetId, head);
}
