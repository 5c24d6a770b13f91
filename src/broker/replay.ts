import type { Qos } from "./codec/packets.ts";
import type { RetainedEntry, RetainedMessages } from "./retained.ts";
import type { Subscription } from "./topic-tree.ts";

/** The retained messages that a new subscription still has to get; they are taken from the store as there is room. */
export class Replay {
  readonly #entries: Iterator<RetainedEntry>;
  /** What is newer was delivered as it came. */
  readonly #upTo: number;
  readonly #subscription: Subscription;
  readonly #subscriptionIds: readonly number[] | undefined;

  constructor(retained: RetainedMessages, subscription: Subscription) {
    this.#entries = retained.matching(subscription.filter);
    this.#upTo = retained.sequence;
    this.#subscription = subscription;
    this.#subscriptionIds = subscription.id === undefined ? undefined : [subscription.id];
  }

  /** Delivers the next one, with RETAIN set (3.1.1: [MQTT-3.3.1-8]). False: there is none left. */
  next(nowMs: number): boolean {
    const { subscriber, qos } = this.#subscription;
    for (;;) {
      const { value: entry, done } = this.#entries.next();
      if (done) return false;
      const { message, sequence } = entry;
      if (sequence > this.#upTo || message.expiresAtMs <= nowMs || !subscriber.mayRead(message.topic.name)) continue;
      subscriber.deliver(message.view(), Math.min(qos, message.qos) as Qos, true, this.#subscriptionIds);
      return true;
    }
  }
}
