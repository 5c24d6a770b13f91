import type { Qos } from "../codec/packets.ts";
import type { BrokerLimits } from "../limits.ts";
import type { Message } from "../message.ts";
import type { SessionRecord } from "../persistence/session-record.ts";
import type { Share } from "../routing/shares.ts";
import { type BrokerStats, heldBytes } from "../stats.ts";
import type { Timers } from "../timers.ts";
import { ackWire } from "../wires.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { Fifo } from "./fifo.ts";
import { duplicate, type Outgoing } from "./outgoing.ts";

/** One message to one session, from when it is queued until the client has acknowledged it for good. */
export interface Delivery {
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[] | undefined;
  /** The shared subscription that chose this session for it. */
  readonly share?: Share;
  /** QoS 2: the client has it, PUBREL is on its way. */
  released: boolean;
  /** In the session's record; 0 without one. */
  recordId: number;
}

export interface DeliveriesDeps {
  readonly limits: BrokerLimits;
  readonly stats: BrokerStats;
  readonly timers: Timers;
  /** May its client have this topic? The rules may have changed while a message waited. */
  mayRead(topic: string): boolean;
}

/**
 * QoS 1 and 2 to one session, in order: a window of what is unacknowledged, and a queue of what waits for it. Both
 * outlive the connection; without one everything waits.
 */
export class Deliveries {
  readonly #deps: DeliveriesDeps;
  readonly #inflight = new Map<number, Delivery>();
  readonly #queue: DeliveryQueue;
  /** Sent in an earlier connection, and not yet in this one [MQTT-4.4.0-1]. */
  #resend = new Fifo<number>();
  #outgoing: Outgoing | undefined;
  /** How many may be unacknowledged in this connection, and how many are. */
  #window = 0;
  #unacknowledged = 0;
  #lastPacketId = 0;
  /** Since when it drops without an acknowledgement in between; 0 while it does not. */
  #droppingSinceMs = 0;
  /** Called when a client that takes nothing has made the queue overflow for `limits.stallMs`. */
  onStalled: () => void = () => {};
  /** Where it is told what must outlive the process. */
  record: SessionRecord | undefined;

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
    this.#queue = new DeliveryQueue({ ...deps, expired: (delivery) => this.#expired(delivery) });
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Room for more that can as well wait where it is. */
  get hasRoom(): boolean {
    return this.#unacknowledged < this.#window && this.#queue.length === 0;
  }

  /** A client is there, which takes `window` at a time; what it did not acknowledge is sent again, in order. */
  attach(outgoing: Outgoing, window: number): void {
    this.#outgoing = outgoing;
    this.#window = window;
    this.#unacknowledged = 0;
    this.#droppingSinceMs = 0;
    this.#resend = new Fifo();
    for (const packetId of this.#inflight.keys()) this.#resend.push(packetId);
    this.#pump();
  }

  detach(): void {
    this.#outgoing = undefined;
    this.#window = 0;
  }

  /** Sends it, queues it, or drops it where the queue is full. */
  add(delivery: Delivery): void {
    const outgoing = this.#outgoing;
    if (outgoing !== undefined && this.hasRoom && this.#resend.length === 0) {
      if (this.#isMemoryFull(delivery.message)) {
        this.#drop();
        return;
      }
      this.record?.queued(delivery);
      this.#send(outgoing, delivery);
      return;
    }
    delivery.message.keep(outgoing === undefined);
    if (this.#queue.hasRoomFor(delivery)) {
      this.record?.queued(delivery);
      this.#queue.push(delivery);
    } else this.#drop();
  }

  /** What the last process left, in order; `packetId` 0: it was not sent yet. */
  restore(delivery: Delivery, packetId: number): void {
    if (packetId > 0) {
      this.#hold(packetId, delivery);
      this.#lastPacketId = packetId;
      return;
    }
    this.#queue.push(delivery);
  }

  /**
   * Forgets everything: the session has ended. Returns what came through shared subscriptions and may go to another
   * member: QoS 1 that was not acknowledged, and what was never sent; not QoS 2 that was [MQTT-4.8.2-5].
   */
  discard(): Delivery[] {
    const handedOn = [...this.#inflight.values()].filter(({ qos, share }) => share !== undefined && qos === 1);
    for (const delivery of this.#inflight.values()) {
      this.#letGo(delivery);
      this.record?.finished(delivery);
    }
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.record?.finished(next);
      if (next.share !== undefined) handedOn.push(next);
    }
    this.#inflight.clear();
    return handedOn;
  }

  /** PUBACK, or PUBREC that refuses. False: no such message waits. */
  acknowledged(packetId: number): boolean {
    return this.#finish(packetId);
  }

  /** QoS of the message that waits under this identifier, and whether PUBREL went out. */
  waiting(packetId: number): Delivery | undefined {
    return this.#inflight.get(packetId);
  }

  /** PUBREC: answered with PUBREL by the caller. */
  received(delivery: Delivery): void {
    delivery.released = true;
    this.record?.released(delivery);
    this.#droppingSinceMs = 0;
  }

  /** PUBCOMP. */
  completed(packetId: number): boolean {
    return this.#finish(packetId);
  }

  #finish(packetId: number): boolean {
    const delivery = this.#inflight.get(packetId);
    if (delivery === undefined) return false;
    this.#inflight.delete(packetId);
    this.#letGo(delivery);
    this.record?.finished(delivery);
    if (this.#unacknowledged > 0) this.#unacknowledged--;
    this.#droppingSinceMs = 0;
    if (this.#resend.length > 0 || this.#queue.length > 0) this.#pump();
    return true;
  }

  #pump(): void {
    const outgoing = this.#outgoing;
    if (outgoing === undefined) return;
    while (this.#resend.length > 0 && this.#unacknowledged < this.#window) this.#sendAgain(outgoing);
    while (this.#queue.length > 0 && this.#unacknowledged < this.#window) {
      const delivery = this.#queue.shift() as Delivery;
      if (this.#deps.mayRead(delivery.message.topic.name)) this.#send(outgoing, delivery);
      else {
        this.#deps.stats.dropped.denied++;
        this.record?.finished(delivery);
      }
    }
  }

  #send(outgoing: Outgoing, delivery: Delivery): void {
    const { message, qos, retain, subscriptionIds } = delivery;
    const { stats, timers } = this.#deps;
    const packetId = this.#freePacketId(); // also for what is dropped below, as at Mosquitto
    if (message.expires && message.expiresAtMs <= timers.nowMs()) {
      this.#expired(delivery); // [MQTT-3.3.2-5]
      return;
    }
    const wire = outgoing.wireOf(message, qos, retain, subscriptionIds);
    if (wire === undefined || wire.bytes.length > outgoing.maxPacketBytes) {
      stats.dropped[wire ? "tooLarge" : "denied"]++; // [MQTT-3.1.2-25]: as if it had been delivered
      this.record?.finished(delivery);
      return;
    }
    message.keep(false);
    this.#hold(packetId, delivery);
    this.#unacknowledged++;
    this.record?.sent(delivery, packetId);
    // A QoS 2 identifier that was seen and forgotten could come to stand for another message.
    outgoing.publish(wire, packetId, qos === 2 && this.record !== undefined);
  }

  #sendAgain(outgoing: Outgoing): void {
    const packetId = this.#resend.shift() as number;
    const delivery = this.#inflight.get(packetId);
    if (delivery === undefined) return;
    this.#unacknowledged++;
    if (delivery.released) {
      outgoing.push(ackWire("pubrel", 0), packetId);
      return;
    }
    const { message, qos, retain, subscriptionIds } = delivery;
    const wire = outgoing.wireOf(message, qos, retain, subscriptionIds);
    if (wire === undefined || wire.bytes.length > outgoing.maxPacketBytes) {
      this.#deps.stats.dropped[wire ? "tooLarge" : "denied"]++;
      this.#finish(packetId);
      return;
    }
    outgoing.publish(wire, packetId | duplicate); // [MQTT-3.3.1-1]
  }

  /** The window is smaller than the range, so there always is one. */
  #freePacketId(): number {
    do {
      this.#lastPacketId = this.#lastPacketId >= 0xffff ? 1 : this.#lastPacketId + 1;
    } while (this.#inflight.has(this.#lastPacketId));
    return this.#lastPacketId;
  }

  #hold(packetId: number, delivery: Delivery): void {
    this.#inflight.set(packetId, delivery);
    const { message } = delivery;
    if (message.unacknowledged++ === 0) this.#deps.stats.inflightBytes += message.byteLength;
  }

  #letGo({ message }: Delivery): void {
    if (--message.unacknowledged === 0) this.#deps.stats.inflightBytes -= message.byteLength;
  }

  /** What someone has not acknowledged yet takes no more for another. */
  #isMemoryFull(message: Message): boolean {
    const { limits, stats } = this.#deps;
    return message.unacknowledged === 0 && heldBytes(stats) + message.byteLength > limits.memoryBytes;
  }

  #expired(delivery: Delivery): void {
    this.#deps.stats.dropped.expired++;
    this.record?.finished(delivery);
  }

  #drop(): void {
    this.#deps.stats.dropped.queueFull++;
    if (this.#outgoing === undefined) return;
    const nowMs = this.#deps.timers.nowMs();
    if (this.#droppingSinceMs === 0) this.#droppingSinceMs = nowMs;
    else if (nowMs - this.#droppingSinceMs > this.#deps.limits.stallMs) this.onStalled();
  }
}
