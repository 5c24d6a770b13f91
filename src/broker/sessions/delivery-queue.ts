import type { BrokerLimits } from "../limits.ts";
import { type BrokerStats, heldBytes } from "../stats.ts";
import type { Timers } from "../timers.ts";
import type { Delivery } from "./deliveries.ts";
import { Fifo } from "./fifo.ts";

interface QueueDeps {
  readonly limits: BrokerLimits;
  readonly stats: BrokerStats;
  readonly timers: Timers;
  /** Its message expiry passed while it waited: it makes room. */
  expired(delivery: Delivery): void;
}

/** What waits for one session, in order and within the limits. */
export class DeliveryQueue {
  readonly #deps: QueueDeps;
  #waiting = new Fifo<Delivery>();
  #bytes = 0;
  /** Before this none of them expires. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
  }

  get length(): number {
    return this.#waiting.length;
  }

  hasRoomFor({ message }: Delivery): boolean {
    if (!this.#isFull(message.byteLength)) return true;
    if (this.#nextExpiryMs > this.#deps.timers.nowMs()) return false;
    this.#dropExpired();
    return !this.#isFull(message.byteLength);
  }

  push(delivery: Delivery): void {
    const { byteLength, expiresAtMs } = delivery.message;
    this.#waiting.push(delivery);
    this.#count(1, byteLength);
    if (expiresAtMs < this.#nextExpiryMs) this.#nextExpiryMs = expiresAtMs;
  }

  shift(): Delivery | undefined {
    const delivery = this.#waiting.shift();
    if (delivery !== undefined) this.#count(-1, -delivery.message.byteLength);
    return delivery;
  }

  #dropExpired(): void {
    const nowMs = this.#deps.timers.nowMs();
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (let left = this.length; left > 0; left--) {
      const delivery = this.shift() as Delivery;
      if (delivery.message.expiresAtMs <= nowMs) this.#deps.expired(delivery);
      else this.push(delivery);
    }
  }

  #isFull(bytes: number): boolean {
    const { limits, stats } = this.#deps;
    return (
      this.length >= limits.queuedMessages ||
      this.#bytes + bytes > limits.queuedBytes ||
      heldBytes(stats) + bytes > limits.memoryBytes
    );
  }

  #count(messages: number, bytes: number): void {
    this.#bytes += bytes;
    this.#deps.stats.queuedMessages += messages;
    this.#deps.stats.queuedBytes += bytes;
  }
}
