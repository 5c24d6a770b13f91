import type { Qos } from "../codec/packets.ts";
import type { PublishParts } from "../codec/publish.ts";

/**
 * All that the broker keeps over a restart, as a series of changes. The same series is what a turn of the event loop hands
 * to the database's worker, what the staging file holds, and what comes back from the disk at a start. Times are
 * milliseconds of the broker's own timeline (see `ownTime`). Buffers are only lent.
 */
export interface Changes {
  session(id: number, session: SessionRow): void;
  /** With its subscriptions and receipts; its deliveries are finished one by one. */
  sessionEnded(id: number): void;
  subscribed(session: number, subscription: SubscriptionRow): void;
  unsubscribed(session: number, filter: string): void;
  /** Content that deliveries refer to. */
  message(id: number, message: StoredMessage): void;
  messageForgotten(id: number): void;
  /** Delivery ids grow, over all sessions: they tell the order. */
  queued(id: number, delivery: DeliveryRow): void;
  sent(id: number, packetId: number): void;
  /** QoS 2: PUBREC came. */
  released(id: number): void;
  finished(id: number): void;
  /** QoS 2 from the client, until its PUBREL. */
  received(session: number, packetId: number): void;
  receiptEnded(session: number, packetId: number): void;
  retained(message: StoredMessage): void;
  cleared(topic: Buffer): void;
}

export interface SessionRow {
  readonly clientId: string;
  readonly username: string | undefined;
  /** The rules it is under. */
  readonly aclFile: string | undefined;
  /** 0: only its will is kept. Infinity: it never ends by itself. */
  readonly expiryMs: number;
  /** Since when its client is away; Infinity while it is there. */
  readonly detachedAtMs: number;
  /** See `encodeWill`; empty without. */
  readonly will: Buffer;
}

export interface SubscriptionRow {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 without. */
  readonly identifier: number;
}

export interface DeliveryRow {
  readonly session: number;
  readonly message: number;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
  /** The filter of the shared subscription it came through; empty without. */
  readonly share: string;
}

export interface StoredMessage extends PublishParts {
  readonly qos: Qos;
  readonly retain: boolean;
}

export const changeType = {
  session: 1,
  sessionEnded: 2,
  subscribed: 3,
  unsubscribed: 4,
  message: 5,
  messageForgotten: 6,
  queued: 7,
  sent: 8,
  released: 9,
  finished: 10,
  received: 11,
  receiptEnded: 12,
  retained: 13,
  cleared: 14,
} as const;
