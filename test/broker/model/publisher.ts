import type { Packet, PublishPacket, Version } from "../../../src/broker/codec/packets.ts";
import { type Peer, publishPacket } from "../support/peer.ts";
import { LastingClient, windowSize } from "./lasting-client.ts";
import type { Stream, Streams } from "./streams.ts";

interface Underway {
  readonly packet: PublishPacket;
  readonly stream: Stream;
  readonly n: number;
  released: boolean;
}

/**
 * Publishes numbers at QoS 1 and 2: to `q/…` for whoever subscribes, to `s/…` for shares, to `r/…` retained. What was not
 * acknowledged it sends again, so that every number becomes acknowledged in the end.
 */
export class Publisher extends LastingClient {
  /** Sends nothing new. */
  isQuiet = false;
  refused = 0;
  onAcknowledged: (stream: Stream, n: number) => void = () => {};
  readonly #streams: readonly Stream[];
  readonly #pick: (from: readonly Stream[]) => Stream;
  readonly #isPaced: boolean;
  #packetId = 0;
  readonly #underway = new Map<number, Underway>();

  /** `paced`: a number each time `publish` is called, instead of as fast as the broker acknowledges. */
  constructor(
    name: string,
    version: Version,
    streams: Streams,
    pick: (from: readonly Stream[]) => Stream,
    paced = false,
  ) {
    super(`publisher-${name}`, version);
    this.#streams = [
      streams.open(`q/${name}/1`, 1),
      streams.open(`q/${name}/2`, 2),
      streams.open(`s/${name}/1`, 1),
      streams.open(`s/${name}/2`, 2),
      streams.open(`r/${name}/1`, 1, true),
      streams.open(`r/${name}/2`, 2, true),
    ];
    this.#pick = pick;
    this.#isPaced = paced;
  }

  get isDone(): boolean {
    return this.#underway.size === 0;
  }

  publish(): void {
    if (this.peer === undefined || this.isQuiet || this.#underway.size >= windowSize) return;
    this.#send(this.peer);
  }

  protected connected(peer: Peer): void {
    for (const [packetId, { packet, released }] of this.#underway)
      peer.send(released ? { type: "pubrel", packetId, reason: 0, properties: {} } : { ...packet, dup: true });
    this.#fill(peer);
  }

  protected take(packet: Packet, peer: Peer): void {
    if (packet.type !== "puback" && packet.type !== "pubrec" && packet.type !== "pubcomp")
      throw new Error(`unexpected ${JSON.stringify(packet)}`);
    const { packetId } = packet;
    const underway = this.#underway.get(packetId);
    if (underway === undefined) throw new Error(`${packet.type} for nothing`);
    this.isKnown = true;
    const isRefused = packet.reason >= 0x80 && packet.type !== "pubcomp";
    if (isRefused && !this.mayBeRefused) throw new Error(`refused: ${JSON.stringify(packet)}`);
    if (packet.type === "pubrec" && !isRefused) {
      underway.released = true;
      peer.send({ type: "pubrel", packetId, reason: 0, properties: {} });
      return;
    }
    this.#underway.delete(packetId);
    if (isRefused) {
      this.refused++;
      underway.stream.refused.add(underway.n);
    } else {
      underway.stream.acknowledge(underway.n);
      this.onAcknowledged(underway.stream, underway.n);
    }
    this.#fill(peer);
  }

  #fill(peer: Peer): void {
    while (!this.#isPaced && !this.isQuiet && this.#underway.size < windowSize) this.#send(peer);
  }

  #send(peer: Peer): void {
    do this.#packetId = (this.#packetId % 100) + 1;
    while (this.#underway.has(this.#packetId));
    const packetId = this.#packetId;
    const stream = this.#pick(this.#streams);
    const { topic, qos, retain } = stream;
    const n = ++stream.sent;
    const packet = publishPacket(topic, stream.isClearing(n) ? "" : String(n), { qos, retain, packetId });
    this.#underway.set(packetId, { packet, stream, n, released: false });
    peer.send(packet);
  }
}
