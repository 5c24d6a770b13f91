import type { Log } from "../../core/log.ts";
import type { Topics } from "../../core/topics.ts";
import type { Outbox } from "../../store/store.ts";
import type { Incoming } from "../link.ts";
import { isCount, jsonOf } from "../requests/json.ts";
import type { Memory, Subscription } from "../state.ts";
import { DESTINATION, isConsumer } from "./destination.ts";

/** `{"epoch":…,"seq":…}` and room for what a consumer may add. */
const RECEIPT_MAX_BYTES = 1024;

/** Why a receipt was ignored. */
export type ReceiptFault = "unknown_consumer" | "retained" | "unreadable" | "unknown_position" | "not_sent_yet";

/** What became of a consumer's last receipt: it moved its cursor, or said again where it is. */
type Heard = (moved: boolean) => void;

interface ReceiptParts {
  readonly outbox: Outbox;
  readonly topics: Topics;
  readonly log: Log;
  readonly memory: Pick<Memory, "sentTo">;
}

/**
 * Consumers say on `ack/<consumer>` up to where they have everything. Whoever may publish there can make us forget what
 * the consumer has not got, so nothing is believed that cannot be true: an unknown epoch, or a reading that was not sent.
 */
export class Receipts {
  readonly subscription: Subscription;
  readonly #parts: ReceiptParts;
  readonly #rejected = new Map<ReceiptFault, number>();
  readonly #listeners = new Map<string, Set<Heard>>();

  constructor(parts: ReceiptParts) {
    this.#parts = parts;
    const filter = parts.topics.ack("+");
    this.subscription = { filter, onMessage: (message) => this.#take(message) };
  }

  /** Receipts that were ignored, by why. */
  rejected(): Readonly<Partial<Record<ReceiptFault, number>>> {
    return Object.fromEntries(this.#rejected);
  }

  /** Calls `heard` at each valid receipt of a consumer, until the returned function is called. */
  onReceipt(consumer: string, heard: Heard): () => void {
    const listeners = this.#listeners.get(consumer) ?? new Set();
    this.#listeners.set(consumer, listeners.add(heard));
    return () => void listeners.delete(heard);
  }

  #take(message: Incoming): void {
    const why = this.#faultOf(message);
    if (why) this.#reject(why, message);
  }

  /** Takes the receipt; gives why it cannot be taken. */
  #faultOf({ topic, payload, retained }: Incoming): ReceiptFault | undefined {
    const { outbox, topics, memory } = this.#parts;
    const consumer = topic.slice(topics.ack("").length);
    if (!isConsumer(consumer) || !outbox.destinations.includes(consumer)) return "unknown_consumer";
    // What the broker kept is of some time ago, and there is no need of it: consumers say it again.
    if (retained) return "retained";
    const receipt = receiptOf(payload);
    if (!receipt) return "unreadable";
    const position = receipt.seq === 0 ? 0 : outbox.position(receipt.epoch, receipt.seq);
    if (position === undefined) return "unknown_position";
    if (position > Math.max(memory.sentTo, outbox.cursor(DESTINATION))) return "not_sent_yet";
    const moves = position > outbox.cursor(consumer);
    if (moves) outbox.acknowledge(consumer, position);
    for (const heard of this.#listeners.get(consumer) ?? []) heard(moves);
    return undefined;
  }

  #reject(why: ReceiptFault, { topic }: Incoming): void {
    const before = this.#rejected.get(why) ?? 0;
    this.#rejected.set(why, before + 1);
    if (before === 0) this.#parts.log.warn("a receipt was ignored", { topic, why });
  }
}

function receiptOf(payload: Uint8Array): { readonly epoch: number; readonly seq: number } | undefined {
  const value = jsonOf(payload, RECEIPT_MAX_BYTES);
  if (!value) return undefined;
  const { epoch, seq } = value;
  return isCount(epoch) && isCount(seq) ? { epoch, seq } : undefined;
}
