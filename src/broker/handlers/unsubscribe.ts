import type { Client } from "../client.ts";
import type { UnsubscribePacket } from "../codec/packets.ts";
import { reason } from "../codec/reasons.ts";
import { encodeUnsuback } from "../codec/unsubscribe.ts";
import { encodeExplained, whyOfEach } from "../explain.ts";

/** Answered always [MQTT-3.10.4-4]. */
export function handleUnsubscribe(client: Client, { packetId, filters }: UnsubscribePacket): void {
  const { session, mountPoint } = client;
  const reasons = filters.map((asked) => {
    const filter = mountPoint === undefined ? asked : mountPoint.filter(asked);
    return filter !== undefined && session?.unsubscribe(filter) ? reason.success : reason.noSubscriptionExisted;
  });
  const why = whyOfEach(reasons, sentences);
  client.sendWhenSafe(
    encodeExplained(client, { type: "unsuback", packetId, reasons, properties: {} }, why, encodeUnsuback),
  );
}

const sentences = { [reason.noSubscriptionExisted]: "no such subscription" };
