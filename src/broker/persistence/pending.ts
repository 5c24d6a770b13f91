import type { Changes, DeliveryRow, SessionRow, StoredMessage, SubscriptionRow } from "./changes.ts";

/** A row to write; undefined to delete. */
interface Row<T> {
  value: T | undefined;
  /** When the first of the changes it stands for came. */
  readonly sinceMs: number;
  /** The first of them made it. */
  readonly isNew: boolean;
}

export interface PendingDelivery {
  /** Undefined: the row is on the disk, and only what follows changed. */
  readonly row: DeliveryRow | undefined;
  packetId: number;
  released: boolean;
}

/**
 * Changes that wait for the disk, the later ones worked into the earlier: what came and went in between leaves nothing to
 * write.
 */
export class Pending implements Changes {
  /** Whether rows may be on the disk although they wait here: then what goes is deleted there too. */
  mayBeWritten: boolean;
  nowMs = 0;
  /** Messages and deliveries up to this id are on the disk. */
  writtenUpTo = 0;
  readonly sessions = new Map<number, Row<SessionRow>>();
  readonly subscriptions = new Map<number, Map<string, Row<SubscriptionRow>>>();
  readonly messages = new Map<number, Row<StoredMessage>>();
  readonly deliveries = new Map<number, Row<PendingDelivery>>();
  /** By session. One is only received where none is: what came and ended while it waited here leaves nothing. */
  readonly receipts = new Map<number, Map<number, Row<true>>>();
  /** By the topic's bytes as Latin-1, which is one to one. */
  readonly retainedMessages = new Map<string, Row<StoredMessage>>();
  readonly #writtenSessions = new Set<number>();

  constructor(mayBeWritten: boolean) {
    this.mayBeWritten = mayBeWritten;
  }

  get isEmpty(): boolean {
    return this.oldestMs() === Number.POSITIVE_INFINITY;
  }

  /** When the oldest of them came; Infinity when there is none. Maps keep the order in which keys came. */
  oldestMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const table of [this.sessions, this.messages, this.deliveries, this.retainedMessages])
      for (const { sinceMs } of table.values()) {
        oldestMs = Math.min(oldestMs, sinceMs);
        break;
      }
    for (const tables of [this.subscriptions, this.receipts])
      for (const table of tables.values())
        for (const { sinceMs } of table.values()) {
          oldestMs = Math.min(oldestMs, sinceMs);
          break;
        }
    return oldestMs;
  }

  /** They are on the disk. */
  clear(): void {
    for (const [id, { value }] of this.sessions)
      if (value) this.#writtenSessions.add(id);
      else this.#writtenSessions.delete(id);
    for (const table of this.#tables()) table.clear();
    this.mayBeWritten = false;
  }

  session(id: number, session: SessionRow): void {
    this.#put(this.sessions, id, session);
  }

  sessionEnded(id: number): void {
    this.subscriptions.delete(id);
    this.receipts.delete(id);
    if (this.mayBeWritten || this.#writtenSessions.has(id)) this.#put(this.sessions, id, undefined);
    else this.sessions.delete(id);
  }

  /** It was there when the database was opened. */
  sessionIsWritten(id: number): void {
    this.#writtenSessions.add(id);
  }

  subscribed(session: number, subscription: SubscriptionRow): void {
    this.#put(tableOf(this.subscriptions, session), subscription.filter, subscription);
  }

  unsubscribed(session: number, filter: string): void {
    this.#put(tableOf(this.subscriptions, session), filter, undefined);
  }

  message(id: number, message: StoredMessage): void {
    this.#put(this.messages, id, message);
  }

  messageForgotten(id: number): void {
    this.#take(this.messages, id);
  }

  queued(id: number, row: DeliveryRow): void {
    this.#put(this.deliveries, id, { row, packetId: 0, released: false });
  }

  sent(id: number, packetId: number): void {
    this.#delivery(id).packetId = packetId;
  }

  released(id: number): void {
    this.#delivery(id).released = true;
  }

  finished(id: number): void {
    const waiting = this.deliveries.get(id)?.value;
    if (waiting !== undefined && waiting.row === undefined) this.#put(this.deliveries, id, undefined);
    else this.#take(this.deliveries, id);
  }

  received(session: number, packetId: number): void {
    this.#put(tableOf(this.receipts, session), packetId, true);
  }

  receiptEnded(session: number, packetId: number): void {
    const receipts = tableOf(this.receipts, session);
    if (receipts.get(packetId)?.isNew && !this.mayBeWritten) receipts.delete(packetId);
    else this.#put(receipts, packetId, undefined);
  }

  retained(message: StoredMessage): void {
    this.#put(this.retainedMessages, message.topicBytes.toString("latin1"), message);
  }

  cleared(topic: Buffer): void {
    this.#put(this.retainedMessages, topic.toString("latin1"), undefined);
  }

  #put<K, T>(table: Map<K, Row<T>>, key: K, value: T | undefined): void {
    const row = table.get(key);
    if (row) row.value = value;
    else table.set(key, { value, sinceMs: this.nowMs, isNew: value !== undefined });
  }

  /** Ids are given once: what waits under one and was never written leaves no trace. */
  #take<T>(table: Map<number, Row<T>>, id: number): void {
    if (this.mayBeWritten || id <= this.writtenUpTo || table.get(id)?.value === undefined)
      this.#put(table, id, undefined);
    else table.delete(id);
  }

  #delivery(id: number): PendingDelivery {
    const waiting = this.deliveries.get(id)?.value;
    if (waiting) return waiting;
    // A packet identifier is never 0: 0 leaves the one on the disk.
    const change = { row: undefined, packetId: 0, released: false };
    this.#put(this.deliveries, id, change);
    return change;
  }

  #tables(): Map<unknown, unknown>[] {
    return [
      this.sessions,
      this.subscriptions,
      this.messages,
      this.deliveries,
      this.receipts,
      this.retainedMessages,
    ] as Map<unknown, unknown>[];
  }
}

function tableOf<K, T>(tables: Map<number, Map<K, Row<T>>>, session: number): Map<K, Row<T>> {
  const known = tables.get(session);
  if (known) return known;
  const table = new Map<K, Row<T>>();
  tables.set(session, table);
  return table;
}
