import { ProtocolFault } from "../codec/reasons.ts";
import type { BrokerContext } from "../context.ts";
import { Message } from "../message.ts";
import type { Topic } from "../routing/topic-table.ts";
import type { Delivery } from "../sessions/deliveries.ts";
import { Session } from "../sessions/session.ts";
import { readChanges } from "./change-reader.ts";
import type { Changes, DeliveryRow, SessionRow, StoredMessage, SubscriptionRow } from "./changes.ts";
import type { Journal } from "./journal.ts";
import { SessionRecord } from "./session-record.ts";
import { decodeWill } from "./will-codec.ts";

/** Puts the broker back to where the last process left it. Whoever was connected then counts as gone since now. */
export function restore(context: BrokerContext, journal: Journal, chunks: readonly Uint8Array[]): void {
  const restorer = new Restorer(context, journal);
  for (const { buffer, byteOffset, length } of chunks) readChanges(Buffer.from(buffer, byteOffset, length), restorer);
  restorer.finish();
}

interface Restored {
  readonly session: Session;
  readonly row: SessionRow;
}

interface Queued {
  readonly session: Session;
  readonly delivery: Delivery;
  packetId: number;
}

class Restorer implements Changes {
  readonly #context: BrokerContext;
  readonly #journal: Journal;
  readonly #sessions = new Map<number, Restored>();
  readonly #messages = new Map<number, Message>();
  readonly #queued = new Map<number, Queued>();
  /** Topics of what is retained for a time. */
  readonly #expiring: string[] = [];

  constructor(context: BrokerContext, journal: Journal) {
    this.#context = context;
    this.#journal = journal;
  }

  session(id: number, row: SessionRow): void {
    const { sessionDeps, topics } = this.#context;
    const { clientId, username, aclFile, expiryMs } = row;
    const session = new Session({ clientId, aclFile, ...(username !== undefined && { username }) }, sessionDeps);
    session.expiryMs = expiryMs;
    if (row.will.length > 0) session.will = unlessFaulty(() => decodeWill(row.will, topics));
    session.restoreRecord(new SessionRecord(this.#journal, id, row.detachedAtMs));
    this.#sessions.set(id, { session, row });
  }

  subscribed(id: number, { identifier, ...row }: SubscriptionRow): void {
    const session = this.#sessions.get(id)?.session;
    if (session === undefined) return;
    const subscription = { ...row, subscriber: session, retainHandling: 2, ...(identifier > 0 && { id: identifier }) };
    session.restoreSubscription(subscription);
  }

  message(id: number, stored: StoredMessage): void {
    const message = this.#messageOf(stored);
    if (message === undefined) return;
    message.kept = { id, deliveries: 0 };
    this.#messages.set(id, message);
  }

  queued(
    id: number,
    { session: sessionId, message: messageId, qos, retain, subscriptionIds, share }: DeliveryRow,
  ): void {
    const session = this.#sessions.get(sessionId)?.session;
    const message = this.#messages.get(messageId);
    if (session === undefined || message?.kept === undefined) {
      this.#journal.changes.finished(id);
      return;
    }
    message.kept.deliveries++;
    const ids = subscriptionIds.length > 0 ? subscriptionIds : undefined;
    const chosenBy = share === "" ? undefined : this.#context.tree.share(share);
    const delivery: Delivery = {
      message,
      qos,
      retain,
      subscriptionIds: ids,
      released: false,
      recordId: id,
      ...(chosenBy && { share: chosenBy }),
    };
    this.#queued.set(id, { session, delivery, packetId: 0 });
  }

  sent(id: number, packetId: number): void {
    const queued = this.#queued.get(id);
    if (queued) queued.packetId = packetId;
  }

  released(id: number): void {
    const queued = this.#queued.get(id);
    if (queued) queued.delivery.released = true;
  }

  received(id: number, packetId: number): void {
    this.#sessions.get(id)?.session.unreleased.add(packetId);
  }

  retained(stored: StoredMessage): void {
    const message = this.#messageOf(stored);
    if (message === undefined || message.expiresAtMs <= this.#context.timers.nowMs()) {
      this.#journal.changes.cleared(Buffer.from(stored.topicBytes));
    } else if (this.#context.retained.restore(message) && message.expires) this.#expiring.push(message.topic.name);
  }

  // A state has none of these: they are what changes it.
  sessionEnded(): void {}
  unsubscribed(): void {}
  messageForgotten(): void {}
  finished(): void {}
  receiptEnded(): void {}
  cleared(): void {}

  finish(): void {
    for (const { session, delivery, packetId } of this.#queued.values()) session.deliveries.restore(delivery, packetId);
    for (const [id, message] of this.#messages)
      if (message.kept?.deliveries === 0) this.#journal.changes.messageForgotten(id);
    for (const { session, row } of this.#sessions.values())
      if (row.detachedAtMs === Number.POSITIVE_INFINITY) this.#leftByCrash(session);
      else this.#wait(session);
    if (!this.#journal.lacksOffTime) return;
    const retained = this.#retainedForATime();
    for (const [id, { expires }] of this.#messages) if (!expires) this.#messages.delete(id);
    this.#journal.onOffTime = (ms) => this.#age(ms, retained);
  }

  #leftByCrash(session: Session): void {
    const { sessions, timers } = this.#context;
    sessions.restore(session, afterCrash(session));
    session.recordDetached(timers.nowMs());
  }

  #wait(session: Session): void {
    const { sessions, timers } = this.#context;
    const awayMs = timers.nowMs() - this.#journal.fromOwn(session.awaySinceMs);
    // A will without delay that still waits was left by a crash shortly before.
    const { willInMs, endsInMs } = session.will?.delayMs === 0 ? afterCrash(session) : inPeace(session);
    sessions.restore(session, { willInMs: willInMs - awayMs, endsInMs: endsInMs - awayMs });
  }

  #retainedForATime(): readonly Message[] {
    return this.#expiring.flatMap((topic) => this.#context.retained.find(topic) ?? []);
  }

  /** The machine was off for longer than was known: what still is as it was restored is so much older. */
  #age(ms: number, retained: readonly Message[]): void {
    const { sessions } = this.#context;
    const { changes } = this.#journal;
    for (const message of retained) {
      if (this.#context.retained.find(message.topic.name) !== message) continue;
      message.expiresAtMs -= ms;
      changes.retained(message);
    }
    for (const message of this.#messages.values()) {
      if (message.kept === undefined || !message.expires) continue;
      message.expiresAtMs -= ms;
      changes.message(message.kept.id, message);
    }
    for (const { session, row } of this.#sessions.values()) {
      if (!sessions.has(session) || session.awaySinceMs !== row.detachedAtMs) continue;
      session.recordDetached(this.#journal.fromOwn(row.detachedAtMs) - ms);
      this.#wait(session);
    }
  }

  #messageOf(stored: StoredMessage): Message | undefined {
    const topic = this.#topicOf(stored.topicBytes);
    return topic && new Message(topic, stored, this.#journal.fromOwn(stored.expiresAtMs), true);
  }

  /** Undefined where the limits do not allow it any more. */
  #topicOf(bytes: Buffer): Topic | undefined {
    return unlessFaulty(() => this.#context.topics.adopt(bytes));
  }
}

const inPeace = ({ will, expiryMs }: Session) => ({ willInMs: will?.delayMs ?? 0, endsInMs: expiryMs });

const afterCrash = ({ will, expiryMs }: Session) => ({
  willInMs: Math.max(will?.delayMs ?? 0, willGraceMs),
  endsInMs: expiryMs || willGraceMs,
});

/** Clients come back a few seconds after a broker; for those who do, nobody is told that they were gone. */
const willGraceMs = 10_000;

function unlessFaulty<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProtocolFault) return undefined;
    throw error;
  }
}
