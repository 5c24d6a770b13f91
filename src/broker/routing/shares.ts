import type { Qos } from "../codec/packets.ts";
import type { Message } from "../message.ts";
import type { Readiness, Subscriber, Subscription } from "./topic-tree.ts";

/** A shared subscription (5.0: 4.8.2): each message goes to one of its members, in turn. */
export class Share {
  /** With `$share` and its name. */
  readonly filter: string;
  readonly #members = new Map<Subscriber, Subscription>();
  #turn = 0;

  constructor(filter: string) {
    this.filter = filter;
  }

  get size(): number {
    return this.#members.size;
  }

  /** What goes to one of them is kept over a restart. */
  get isKept(): boolean {
    return [...this.#members.keys()].some(({ isKept }) => isKept);
  }

  add(subscription: Subscription): void {
    this.#members.set(subscription.subscriber, subscription);
  }

  remove(subscriber: Subscriber): void {
    this.#members.delete(subscriber);
  }

  /** Hands it to a member that takes it at once, else to one that has to queue it. False: nobody may have it. */
  deliver(message: Message): boolean {
    const chosen = this.#choose(message);
    if (chosen === undefined) return false;
    const { subscriber, qos, retainAsPublished, id } = chosen;
    const granted = Math.min(qos, message.qos) as Qos; // [MQTT-4.8.2-3]
    const retain = message.retain && retainAsPublished;
    subscriber.deliver(message, granted, retain, id === undefined ? undefined : [id], this);
    return true;
  }

  #choose(message: Message): Subscription | undefined {
    const members = [...this.#members.values()];
    let best: Subscription | undefined;
    let bestReadiness: Readiness | -1 = -1;
    for (let i = 0; i < members.length && bestReadiness < 2; i++) {
      const at = (this.#turn + i) % members.length;
      const member = members[at] as Subscription;
      const { readiness } = member.subscriber;
      const isOfUse = readiness > 0 || Math.min(member.qos, message.qos) > 0; // QoS 0 is not kept for who is away
      if (readiness <= bestReadiness || !isOfUse || !member.subscriber.mayRead(message.topic.name)) continue;
      best = member;
      bestReadiness = readiness;
    }
    this.#turn = (this.#turn + 1) % Math.max(1, members.length);
    return best;
  }
}
