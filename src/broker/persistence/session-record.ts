import type { Message } from "../message.ts";
import type { Identity } from "../options.ts";
import type { Subscription } from "../routing/topic-tree.ts";
import type { Delivery } from "../sessions/deliveries.ts";
import type { Will } from "../sessions/will.ts";
import type { Journal } from "./journal.ts";
import { encodeWill } from "./will-codec.ts";

/** What a session tells of itself. */
export interface RecordedSession {
  readonly identity: Identity;
  readonly expiryMs: number;
  readonly will: Will | undefined;
}

/** A session's side of the journal: what of it is to outlive the process. */
export class SessionRecord {
  readonly #journal: Journal;
  readonly #id: number;
  /** On the broker's own timeline; Infinity while its client is there. */
  detachedAtMs: number;

  constructor(journal: Journal, id: number = journal.nextId(), detachedAtMs = Number.POSITIVE_INFINITY) {
    this.#journal = journal;
    this.#id = id;
    this.detachedAtMs = detachedAtMs;
  }

  attached(session: RecordedSession): void {
    this.detachedAtMs = Number.POSITIVE_INFINITY;
    this.save(session);
  }

  /** `atMs` is in the timers' time. */
  detached(session: RecordedSession, atMs: number): void {
    this.detachedAtMs = this.#journal.toOwn(atMs);
    this.save(session);
  }

  save({ identity, expiryMs, will }: RecordedSession): void {
    this.#journal.changes.session(this.#id, {
      clientId: identity.clientId,
      username: identity.username,
      aclFile: identity.aclFile,
      expiryMs,
      detachedAtMs: this.detachedAtMs,
      will: will === undefined ? noWill : encodeWill(will),
    });
  }

  ended(): void {
    this.#journal.changes.sessionEnded(this.#id);
  }

  subscribed({ filter, qos, noLocal, retainAsPublished, id: identifier = 0 }: Subscription): void {
    this.#journal.changes.subscribed(this.#id, { filter, qos, noLocal, retainAsPublished, identifier });
  }

  unsubscribed(filter: string): void {
    this.#journal.changes.unsubscribed(this.#id, filter);
  }

  queued(delivery: Delivery): void {
    const { message, qos, retain, subscriptionIds = none } = delivery;
    const { changes } = this.#journal;
    message.kept ??= this.#keep(message);
    message.kept.deliveries++;
    delivery.recordId = this.#journal.nextId();
    const share = delivery.share?.filter ?? "";
    const row = { session: this.#id, message: message.kept.id, qos, retain, subscriptionIds, share };
    changes.queued(delivery.recordId, row);
  }

  sent(delivery: Delivery, packetId: number): void {
    this.#journal.changes.sent(delivery.recordId, packetId);
  }

  released(delivery: Delivery): void {
    this.#journal.changes.released(delivery.recordId);
  }

  finished({ recordId, message }: Delivery): void {
    const { changes } = this.#journal;
    changes.finished(recordId);
    if (message.kept === undefined || --message.kept.deliveries > 0) return;
    changes.messageForgotten(message.kept.id);
    message.kept = undefined;
  }

  received(packetId: number): void {
    this.#journal.changes.received(this.#id, packetId);
  }

  receiptEnded(packetId: number): void {
    this.#journal.changes.receiptEnded(this.#id, packetId);
  }

  #keep(message: Message): NonNullable<Message["kept"]> {
    const id = this.#journal.nextId();
    this.#journal.changes.message(id, message);
    return { id, deliveries: 0 };
  }
}

const none: readonly number[] = [];
const noWill = Buffer.alloc(0);
