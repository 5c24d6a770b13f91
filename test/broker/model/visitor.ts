import type { Qos, Version } from "../../../src/broker/codec/packets.ts";
import { connectPacket, Peer } from "../support/peer.ts";
import type { Stream, Streams } from "./streams.ts";

/** Clients that come with a clean start, subscribe, listen for a while and vanish: what comes meanwhile is in order and, above QoS 0, whole. */
export class Visitor {
  received = 0;
  readonly #streams: Streams;
  readonly #clientId: string;
  readonly #version: Version;
  #peer: Peer | undefined;

  constructor(clientId: string, version: Version, streams: Streams) {
    this.#clientId = clientId;
    this.#version = version;
    this.#streams = streams;
  }

  /** Until the connection ends. */
  async visit(port: number, filter: string, qos: Qos): Promise<void> {
    using peer = new Peer({ host: "127.0.0.1", port }, this.#version);
    this.#peer = peer;
    peer.send(connectPacket({ clientId: this.#clientId, version: this.#version }));
    if ((await peer.next()) === "closed") return;
    const request = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    peer.send({ type: "subscribe", packetId: 1, subscriptions: [request], properties: {} });
    const last = new Map<Stream, number>();
    for (let packet = await peer.next(); packet !== "closed"; packet = await peer.next()) {
      if (packet.type === "pubrel")
        peer.send({ type: "pubcomp", packetId: packet.packetId, reason: 0, properties: {} });
      if (packet.type !== "publish") continue;
      if (packet.qos > 0)
        peer.send({
          type: packet.qos === 1 ? "puback" : "pubrec",
          packetId: packet.packetId,
          reason: 0,
          properties: {},
        });
      const stream = this.#streams.of(packet.topic);
      this.#check(stream, Number(packet.payload.toString()), packet.qos, last.get(stream));
      last.set(stream, Math.max(last.get(stream) ?? 0, Number(packet.payload.toString())));
      this.received++;
    }
  }

  vanish(): void {
    this.#peer?.socket.destroy();
  }

  /** A publisher that was cut off repeats at QoS 1 what it had no answer for. */
  #check(stream: Stream, n: number, qos: Qos, last: number | undefined): void {
    if (last === undefined || (stream.qos === 1 && n <= last)) return;
    if (qos === 0 ? n > last : n === last + 1) return;
    throw new Error(`${this.#clientId} got ${stream.topic} ${n} behind ${last}`);
  }
}
