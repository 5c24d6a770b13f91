import type { Client } from "../client.ts";
import type { AckPacket } from "../codec/packets.ts";
import { protocolError } from "../codec/reasons.ts";

/** Ends a QoS 2 delivery. One that nobody waits for is passed over. */
export function handlePubcomp(client: Client, { packetId }: AckPacket): void {
  const { session } = client;
  const waiting = session?.deliveries.waiting(packetId);
  if (session === undefined || waiting === undefined) return;
  if (!waiting.released) throw protocolError("PUBCOMP for a message that was not released");
  session.deliveries.completed(packetId);
  session.continueReplays();
}
