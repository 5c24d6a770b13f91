import type { Packet, PublishPacket, Version } from "../../../src/broker/codec/packets.ts";
import type { Peer } from "../support/peer.ts";
import { LastingClient } from "./lasting-client.ts";

export interface Taken {
  readonly topic: string;
  readonly payload: string;
}

/** Subscribes once, at QoS 2, and hands on what comes; at QoS 2 it knows which packet identifiers it has had. */
export class Subscriber extends LastingClient {
  readonly #filter: string;
  readonly #events: { subscribed(): void; take(message: Taken): void };
  readonly #unreleased = new Set<number>();

  constructor(
    clientId: string,
    version: Version,
    filter: string,
    events: { subscribed(): void; take(message: Taken): void },
  ) {
    super(clientId, version);
    this.#filter = filter;
    this.#events = events;
  }

  protected connected(peer: Peer): void {
    if (this.isKnown) return;
    const request = {
      filter: this.#filter,
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    peer.send({ type: "subscribe", packetId: 1, subscriptions: [request], properties: {} });
  }

  protected take(packet: Packet, peer: Peer): void {
    if (packet.type === "suback") {
      if (packet.reasons.some((code) => code > 2)) throw new Error(`not subscribed: ${JSON.stringify(packet)}`);
      this.isKnown = true;
      this.#events.subscribed();
    } else if (packet.type === "pubrel") {
      this.#unreleased.delete(packet.packetId);
      peer.send({ type: "pubcomp", packetId: packet.packetId, reason: 0, properties: {} });
    } else if (packet.type === "publish") this.#publish(packet, peer);
    else throw new Error(`unexpected ${JSON.stringify(packet)}`);
  }

  #publish({ packetId, topic, payload, qos }: PublishPacket, peer: Peer): void {
    const message = { topic, payload: payload.toString() };
    if (qos === 1) {
      this.#events.take(message);
      peer.send({ type: "puback", packetId, reason: 0, properties: {} });
      return;
    }
    if (!this.#unreleased.has(packetId)) this.#events.take(message);
    this.#unreleased.add(packetId);
    peer.send({ type: "pubrec", packetId, reason: 0, properties: {} });
  }
}
