import type { Qos } from "./codec/packets.ts";
import type { RetainedMessages } from "./routing/retained.ts";
import type { Budget, RetainedWalk } from "./routing/retained-walk.ts";
import type { Subscription } from "./routing/topic-tree.ts";

/** The retained messages that a new subscription still has to get; they are taken from the store as there is room. */
export class Replay {
  readonly #entries: RetainedWalk;
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

  /** Delivers the next one, with RETAIN set (3.1.1: [MQTT-3.3.1-8]). "later": the budget is used up. */
  next(nowMs: number, budget: Budget): "delivered" | "later" | "done" {
    const { subscriber, qos } = this.#subscription;
    for (;;) {
      const entry = this.#entries.next(budget);
      if (entry === undefined) return "done";
      if (entry === "later") return "later";
      const { message, sequence } = entry;
      if (sequence > this.#upTo || message.expiresAtMs <= nowMs || !subscriber.mayRead(message.topic.name)) continue;
      subscriber.deliver(message.view(), Math.min(qos, message.qos) as Qos, true, this.#subscriptionIds);
      return "delivered";
    }
  }
}
