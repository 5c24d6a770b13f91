import type { Packet, PublishPacket } from "../../../src/broker/codec/packets.ts";
import { connectPacket, Peer, publishPacket } from "../support/peer.ts";

const window = 12;

interface Underway {
  readonly packet: PublishPacket;
  readonly n: number;
  released: boolean;
}

/**
 * A client with a session that outlives connections on both sides: it keeps what MQTT asks it to keep, and what it was
 * promised.
 */
abstract class LastingClient {
  readonly clientId: string;
  /** Once the broker acknowledged something in the session, it must be there again. */
  isKnown = false;
  protected peer: Peer | undefined;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  /** Until the connection ends. */
  async live(port: number): Promise<void> {
    const peer = new Peer({ host: "127.0.0.1", port }, 5);
    this.peer = peer;
    const properties = { sessionExpiryInterval: 3600, receiveMaximum: window };
    peer.send(connectPacket({ clientId: this.clientId, version: 5, cleanStart: false, properties }));
    const connack = await peer.next();
    if (connack !== "closed") {
      if (connack.type !== "connack" || connack.reason !== 0) throw new Error(`refused: ${JSON.stringify(connack)}`);
      if (this.isKnown && !connack.sessionPresent) throw new Error(`the session of ${this.clientId} is gone`);
      this.connected(peer);
      for (let packet = await peer.next(); packet !== "closed"; packet = await peer.next()) this.take(packet, peer);
    }
    this.peer = undefined;
    peer[Symbol.dispose]();
  }

  leave(): void {
    this.peer?.socket.destroy();
  }

  protected abstract connected(peer: Peer): void;
  protected abstract take(packet: Packet, peer: Peer): void;
}

/** Publishes numbers: to `q1` and `q2` at these QoS, to `r/…` retained. */
export class Publisher extends LastingClient {
  readonly acknowledged = { 1: new Set<number>(), 2: new Set<number>() };
  readonly retained = new Map<string, number>();
  isQuiet = false;
  #n = 0;
  #packetId = 0;
  readonly #underway = new Map<number, Underway>();

  get isDone(): boolean {
    return this.#underway.size === 0;
  }

  protected connected(peer: Peer): void {
    for (const [packetId, { packet, released }] of this.#underway)
      peer.send(released ? { type: "pubrel", packetId, reason: 0, properties: {} } : { ...packet, dup: true });
    this.#publish(peer);
  }

  protected take(packet: Packet, peer: Peer): void {
    if (packet.type !== "puback" && packet.type !== "pubrec" && packet.type !== "pubcomp")
      throw new Error(`unexpected ${JSON.stringify(packet)}`);
    const { packetId } = packet;
    const underway = this.#underway.get(packetId);
    if (underway === undefined) throw new Error(`${packet.type} for nothing`);
    if (packet.reason >= 0x80 && packet.type !== "pubcomp") throw new Error(`refused: ${JSON.stringify(packet)}`);
    this.isKnown = true;
    if (packet.type === "pubrec") {
      underway.released = true;
      peer.send({ type: "pubrel", packetId, reason: 0, properties: {} });
      return;
    }
    this.#underway.delete(packetId);
    const { topic, qos, retain } = underway.packet;
    if (retain) this.retained.set(topic, underway.n);
    else this.acknowledged[qos as 1 | 2].add(underway.n);
    this.#publish(peer);
  }

  #publish(peer: Peer): void {
    while (!this.isQuiet && this.#underway.size < window) {
      const n = ++this.#n;
      this.#packetId = (this.#packetId % 100) + 1;
      if (this.#underway.has(this.#packetId)) continue;
      const packetId = this.#packetId;
      const retain = n % 7 === 0;
      const qos = retain || n % 2 === 0 ? 1 : 2;
      const topic = retain ? `r/${n % 3}` : `q${qos}`;
      const packet = publishPacket(topic, String(n), { qos, retain, packetId });
      this.#underway.set(packetId, { packet, n, released: false });
      peer.send(packet);
    }
  }
}

/** Receives numbers; at QoS 2 it knows which packet identifiers it has had. */
export class Subscriber extends LastingClient {
  readonly received: number[] = [];
  readonly #filter: string;
  readonly #qos: 1 | 2;
  readonly #unreleased = new Set<number>();

  constructor(clientId: string, filter: string, qos: 1 | 2) {
    super(clientId);
    this.#filter = filter;
    this.#qos = qos;
  }

  protected connected(peer: Peer): void {
    if (this.isKnown) return;
    const request = {
      filter: this.#filter,
      qos: this.#qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    };
    peer.send({ type: "subscribe", packetId: 1, subscriptions: [request as never], properties: {} });
  }

  protected take(packet: Packet, peer: Peer): void {
    if (packet.type === "suback") this.isKnown = true;
    else if (packet.type === "pubrel") {
      this.#unreleased.delete(packet.packetId);
      peer.send({ type: "pubcomp", packetId: packet.packetId, reason: 0, properties: {} });
    } else if (packet.type === "publish") this.#publish(packet, peer);
    else throw new Error(`unexpected ${JSON.stringify(packet)}`);
  }

  #publish({ packetId, payload, qos }: PublishPacket, peer: Peer): void {
    if (qos === 1) {
      this.received.push(Number(payload.toString()));
      peer.send({ type: "puback", packetId, reason: 0, properties: {} });
      return;
    }
    if (!this.#unreleased.has(packetId)) this.received.push(Number(payload.toString()));
    this.#unreleased.add(packetId);
    peer.send({ type: "pubrec", packetId, reason: 0, properties: {} });
  }
}
