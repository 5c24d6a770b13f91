import type { Client } from "../client.ts";
import { protocolError } from "../codec/reasons.ts";

/** One that nobody waits for is passed over: the session it belonged to may have ended. */
export function handlePuback(client: Client, packetId: number): void {
  const { session } = client;
  const waiting = session?.deliveries.waiting(packetId);
  if (session === undefined || waiting === undefined) return;
  if (waiting.qos !== 1) throw protocolError("PUBACK for a QoS 2 message");
  session.deliveries.acknowledged(packetId);
  session.continueReplays();
}
