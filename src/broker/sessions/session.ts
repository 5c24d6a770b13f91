import type { Qos } from "../codec/packets.ts";
import { reason } from "../codec/reasons.ts";
import { sharedFilter } from "../codec/topic-rules.ts";
import type { Message } from "../message.ts";
import type { Authorise, Identity } from "../options.ts";
import type { Journal } from "../persistence/journal.ts";
import { SessionRecord } from "../persistence/session-record.ts";
import { Replay } from "../replay.ts";
import type { RetainedMessages } from "../routing/retained.ts";
import type { Share } from "../routing/shares.ts";
import {
  type Readiness,
  type Subscriber,
  type Subscription,
  subscriptionBytes,
  type TopicTree,
} from "../routing/topic-tree.ts";
import type { Turn } from "../turn.ts";
import { Deliveries, type DeliveriesDeps } from "./deliveries.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Will } from "./will.ts";

export interface SessionDeps extends Omit<DeliveriesDeps, "mayRead"> {
  readonly tree: TopicTree;
  readonly retained: RetainedMessages;
  readonly authorise: Authorise | undefined;
  readonly journal: Journal | undefined;
  readonly turn: Turn;
}

/** Levels of the retained topics that one turn looks at for nothing: about a millisecond, in which nobody else is served. */
const levelsATurn = 2000;

/** The connection a session has at the moment. */
export interface SessionLink {
  readonly outgoing: Outgoing;
  /** Ends the connection with a reason code. */
  end(reason: number, why: string): void;
  /** The same, once the message that is being routed is with everyone. */
  endSoon(reason: number, why: string): void;
}

/** What a client has at the broker, with or without a connection (5.0: 4.1). */
export class Session implements Subscriber {
  readonly clientId: string;
  readonly deliveries: Deliveries;
  readonly subscriptions = new Map<string, Subscription>();
  /** QoS 2 from the client that it has not released: a repetition is not published again [MQTT-4.3.3-10]. */
  readonly unreleased = new Set<number>();
  identity: Identity;
  /** 0: it ends with the connection. Infinity: it does not end by itself. */
  expiryMs = 0;
  will: Will | undefined;
  link: SessionLink | undefined;
  /** Undefined where nothing of it is kept over a restart. */
  #record: SessionRecord | undefined;
  /** Calls off what waits for the client to stay away: the delayed will, the end. */
  cancelTimers: (() => void)[] = [];
  readonly #deps: SessionDeps;
  readonly #replays = new Map<string, Replay>();
  /** They go on by themselves. */
  #isReplayDue = false;

  /** Who the listener says its clients are, where it does: nobody else gets this session, or ends it. */
  readonly owner: string | undefined;

  constructor(identity: Identity, deps: SessionDeps, owner?: string) {
    this.clientId = identity.clientId;
    this.owner = owner;
    this.identity = identity;
    this.#deps = deps;
    this.deliveries = new Deliveries({ ...deps, mayRead: (topic) => this.mayRead(topic) });
  }

  /** Where subscriptions and messages are told, not the will alone. */
  get #keeps(): SessionRecord | undefined {
    return this.deliveries.record;
  }

  /** What goes to it is kept over a restart. */
  get isKept(): boolean {
    return this.deliveries.record !== undefined;
  }

  /** A client was let in; its expiry and its will are set. */
  recordAttached(): void {
    const { journal } = this.#deps;
    if (journal === undefined) return;
    if (this.#record === undefined && (this.expiryMs > 0 || this.will !== undefined))
      this.restoreRecord(new SessionRecord(journal));
    this.#record?.attached(this);
  }

  /** Since when its client is away, as it is kept; Infinity while it is there. */
  get awaySinceMs(): number {
    return this.#record?.detachedAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** `atMs` is in the timers' time. */
  recordDetached(atMs: number): void {
    this.#record?.detached(this, atMs);
  }

  recordReceived(packetId: number): void {
    this.#keeps?.received(packetId);
  }

  recordReceiptEnded(packetId: number): void {
    this.#keeps?.receiptEnded(packetId);
  }

  /** Takes up what the last process left under this record. */
  restoreRecord(record: SessionRecord): void {
    this.#record = record;
    if (this.expiryMs > 0) this.deliveries.record = record;
  }

  restoreSubscription(subscription: Subscription): void {
    const { record } = this.deliveries;
    this.deliveries.record = undefined;
    this.subscribe(subscription);
    this.deliveries.record = record;
  }

  /** Its will is published, or void. */
  forgetWill(): Will | undefined {
    const { will } = this;
    this.will = undefined;
    if (will !== undefined) this.#record?.save(this);
    return will;
  }

  get readiness(): Readiness {
    if (this.link === undefined) return 0;
    return this.deliveries.queued === 0 && !this.link.outgoing.blocked ? 2 : 1;
  }

  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
    share?: Share,
  ): void {
    if (qos > 0) {
      this.deliveries.add({
        message,
        qos,
        retain,
        subscriptionIds,
        released: false,
        recordId: 0,
        ...(share && { share }),
      });
      return;
    }
    const outgoing = this.link?.outgoing;
    if (outgoing === undefined) return; // QoS 0 is not kept for those who are away
    const wire = outgoing.wireOf(message, 0, retain, subscriptionIds);
    if (wire === undefined) this.#deps.stats.dropped.denied++;
    else if (wire.bytes.length <= outgoing.maxPacketBytes) outgoing.offer(wire);
    else this.#deps.stats.dropped.tooLarge++;
  }

  mayRead(topic: string): boolean {
    return this.#deps.authorise === undefined || this.#deps.authorise(this.identity, "read", topic);
  }

  /** Returns whether it is new, as opposed to replacing one with the same filter. */
  subscribe(subscription: Subscription): boolean {
    const isNew = !this.subscriptions.has(subscription.filter);
    this.subscriptions.set(subscription.filter, subscription);
    this.#deps.tree.add(subscription);
    this.#keeps?.subscribed(subscription);
    if (isNew) this.#count(subscription, 1);
    return isNew;
  }

  unsubscribe(filter: string): boolean {
    const subscription = this.subscriptions.get(filter);
    if (subscription === undefined) return false;
    this.subscriptions.delete(filter);
    this.#replays.delete(filter);
    this.#deps.tree.remove(subscription);
    this.#keeps?.unsubscribed(filter);
    this.#count(subscription, -1);
    return true;
  }

  unsubscribeAll(): void {
    for (const filter of [...this.subscriptions.keys()]) this.unsubscribe(filter);
  }

  /** Sends what is retained under the filters, as fast as the client takes it. */
  replay(subscriptions: readonly Subscription[]): void {
    for (const one of subscriptions) this.#replays.set(one.filter, new Replay(this.#deps.retained, one));
    this.continueReplays();
  }

  continueReplays(): void {
    if (this.#replays.size === 0 || this.#isReplayDue) return;
    const nowMs = this.#deps.timers.nowMs();
    const budget = { levels: levelsATurn };
    for (const [filter, replay] of this.#replays) {
      while (this.link?.outgoing.hasRoom && this.deliveries.hasRoom) {
        const outcome = replay.next(nowMs, budget);
        if (outcome === "delivered") continue;
        if (outcome === "later") {
          this.#continueLater();
          return;
        }
        this.#replays.delete(filter);
        break;
      }
    }
  }

  #continueLater(): void {
    this.#isReplayDue = true;
    this.#deps.turn.later(() => {
      this.#isReplayDue = false;
      this.continueReplays();
    });
  }

  /** Ends it: nothing is delivered to it any more. */
  drop(): void {
    this.unsubscribeAll();
    this.#replays.clear();
    this.callOff();
    // Others of a share get what this one no longer can; members that are gone are not asked again.
    const handedOn = this.deliveries.discard();
    this.#record?.ended();
    this.leave();
    for (const { share, message } of handedOn) share?.deliver(message);
  }

  /** What is on the disk stays as it is, whatever becomes of the session here. */
  leave(): void {
    this.#record = undefined;
    this.deliveries.record = undefined;
  }

  attach(link: SessionLink, window: number): void {
    this.callOff();
    this.link = link;
    this.deliveries.onStalled = () => link.endSoon(reason.quotaExceeded, "it does not acknowledge what waits for it");
    this.deliveries.attach(link.outgoing, window);
    this.continueReplays();
  }

  detach(): void {
    this.link = undefined;
    this.deliveries.detach();
  }

  #count({ filter }: Subscription, by: 1 | -1): void {
    this.#deps.stats.subscriptions += by;
    this.#deps.stats.subscriptionBytes += by * subscriptionBytes(filter);
    if (sharedFilter(filter) !== undefined) this.#deps.stats.sharedSubscriptions += by;
  }

  /** Calls off what waits for its client to stay away. */
  callOff(): void {
    for (const cancel of this.cancelTimers) cancel();
    this.cancelTimers = [];
  }
}
