import type { Client } from "../client.ts";
import type { DisconnectPacket } from "../codec/packets.ts";
import { protocolError, reason } from "../codec/reasons.ts";
import type { Session } from "../sessions/session.ts";

/** The client's goodbye: its will is void [MQTT-3.14.4-3] unless the reason says otherwise. */
export function handleDisconnect(client: Client, packet: DisconnectPacket): void {
  const session = client.session as Session;
  const expiryS = packet.properties.sessionExpiryInterval;
  if (expiryS !== undefined) {
    if (client.connectExpiryS === 0 && expiryS > 0)
      throw protocolError("DISCONNECT prolongs a session that was to end with its connection");
    session.expiryMs = Math.min(expiryS, client.broker.limits.sessionExpiryS) * 1000;
  }
  if (packet.reason === reason.success) session.will = undefined;
  client.drop(packet.reason === reason.success ? "it said goodbye" : `it left with 0x${packet.reason.toString(16)}`);
}
