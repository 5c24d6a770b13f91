import type { Client } from "../client.ts";
import type { AckPacket } from "../codec/packets.ts";
import { protocolError, reason } from "../codec/reasons.ts";
import { ackWire } from "../wires.ts";

/**
 * Answered with PUBREL [MQTT-4.3.3-4], also where nothing waits for it: it may be a repetition. One that refuses ends
 * the delivery [MQTT-4.4.0-2] and has no answer.
 */
export function handlePubrec(client: Client, { packetId, reason: code }: AckPacket): void {
  const { session, outgoing } = client;
  const waiting = session?.deliveries.waiting(packetId);
  const refuses = code >= reason.unspecifiedError;
  if (session === undefined || waiting === undefined) {
    if (!refuses) outgoing.push(ackWire("pubrel", 0), packetId);
    return;
  }
  if (waiting.qos !== 2) throw protocolError("PUBREC for a QoS 1 message");
  if (refuses) {
    session.deliveries.acknowledged(packetId);
    session.continueReplays();
    return;
  }
  const head = client.broker.journal?.head;
  session.deliveries.received(waiting);
  client.acknowledge(ackWire("pubrel", 0), packetId, head);
}
