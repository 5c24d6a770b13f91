import { connectPacket, Peer } from "../support/peer.ts";
import type { Streams } from "./streams.ts";

/** What is retained under this filter now: payloads by topic. */
export async function retainedNow(port: number, filter = "r/#", clientId = "reader"): Promise<Map<string, string>> {
  using peer = new Peer({ host: "127.0.0.1", port }, 5);
  peer.send(connectPacket({ clientId, version: 5 }));
  await peer.nextOf("connack");
  const request = { filter, qos: 0, noLocal: false, retainAsPublished: true, retainHandling: 0 } as const;
  peer.send({ type: "subscribe", packetId: 1, subscriptions: [request], properties: {} });
  await peer.nextOf("suback");
  const packets = await peer.untilPong();
  peer.send({ type: "disconnect", reason: 0, properties: {} });
  return new Map(
    packets.flatMap((one) =>
      one.type === "publish" && one.retain && one.payload.length > 0 ? [[one.topic, one.payload.toString()]] : [],
    ),
  );
}

/** Each topic holds what was acknowledged last, or what was sent since. Throws otherwise; how many topics were looked at. */
export async function checkRetained(port: number, streams: Streams, clientId?: string): Promise<number> {
  const retained = streams.matching("r/");
  const promised = retained.map(({ acknowledged }) => acknowledged);
  const found = await retainedNow(port, "r/#", clientId);
  for (const [i, stream] of retained.entries()) {
    const least = promised[i] as number;
    const there = found.get(stream.topic);
    const candidates = Array.from({ length: stream.sent - least + 1 }, (_, k) => least + k);
    const isRight = candidates.some((n) =>
      there === undefined ? n === 0 || stream.isClearing(n) : Number(there) === n && !stream.isClearing(n),
    );
    if (!isRight) throw new Error(`${stream.topic} has ${there}, acknowledged was ${least}, sent up to ${stream.sent}`);
  }
  return retained.length;
}
