import type { Changes, DeliveryRow, SessionRow, StoredMessage, SubscriptionRow } from "./changes.ts";
import { changeType } from "./changes.ts";

/** Writes changes one behind the other; `change-reader.ts` reads them. Little endian; ids are doubles, exact to 2^53. */
export class ChangeWriter implements Changes {
  /** Added to the times that messages carry. */
  offsetMs = 0;
  /** How many changes were ever written. */
  count = 0;
  #bytes = Buffer.allocUnsafe(startBytes);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** What was written since the last time. */
  take(): Buffer {
    // Of its own, not of the pool that small buffers share: it goes through a message port, which would copy the pool.
    const taken = Buffer.allocUnsafeSlow(this.#at);
    this.#bytes.copy(taken, 0, 0, this.#at);
    this.#at = 0;
    if (this.#bytes.length > keptBytes) this.#bytes = Buffer.allocUnsafe(startBytes);
    return taken;
  }

  session(id: number, row: SessionRow): void {
    this.#begin(changeType.session, id);
    this.#text(row.clientId);
    this.#maybeText(row.username);
    this.#maybeText(row.aclFile);
    this.#f64(row.expiryMs);
    this.#f64(row.detachedAtMs);
    this.#lengthAndBytes(row.will);
  }

  sessionEnded(id: number): void {
    this.#begin(changeType.sessionEnded, id);
  }

  subscribed(session: number, row: SubscriptionRow): void {
    this.#begin(changeType.subscribed, session);
    this.#text(row.filter);
    this.#u8(row.qos | (row.noLocal ? 4 : 0) | (row.retainAsPublished ? 8 : 0));
    this.#u32(row.identifier);
  }

  unsubscribed(session: number, filter: string): void {
    this.#begin(changeType.unsubscribed, session);
    this.#text(filter);
  }

  message(id: number, message: StoredMessage): void {
    this.#begin(changeType.message, id);
    this.storedMessage(message);
  }

  messageForgotten(id: number): void {
    this.#begin(changeType.messageForgotten, id);
  }

  queued(id: number, row: DeliveryRow): void {
    this.#begin(changeType.queued, id);
    this.#f64(row.session);
    this.#f64(row.message);
    this.#u8(row.qos | (row.retain ? 4 : 0) | (row.share === "" ? 0 : 8));
    this.#u32(row.subscriptionIds.length);
    for (const one of row.subscriptionIds) this.#u32(one);
    if (row.share !== "") this.#text(row.share);
  }

  sent(id: number, packetId: number): void {
    this.#begin(changeType.sent, id);
    this.#u32(packetId);
  }

  released(id: number): void {
    this.#begin(changeType.released, id);
  }

  finished(id: number): void {
    this.#begin(changeType.finished, id);
  }

  received(session: number, packetId: number): void {
    this.#begin(changeType.received, session);
    this.#u32(packetId);
  }

  receiptEnded(session: number, packetId: number): void {
    this.#begin(changeType.receiptEnded, session);
    this.#u32(packetId);
  }

  retained(message: StoredMessage): void {
    this.#begin(changeType.retained, 0);
    this.storedMessage(message);
  }

  cleared(topic: Buffer): void {
    this.#begin(changeType.cleared, 0);
    this.#lengthAndBytes(topic);
  }

  /** The content of a message, by itself. */
  storedMessage(message: StoredMessage): void {
    const { source, propertiesStart, payloadStart, payloadEnd } = message;
    this.#lengthAndBytes(message.topicBytes);
    this.#u8(message.qos | (message.retain ? 4 : 0));
    this.#f64(message.expiresAtMs + this.offsetMs);
    this.#u32(message.expiryAt + 1);
    this.#u32(payloadStart - propertiesStart);
    const length = payloadEnd - propertiesStart;
    this.#u32(length);
    this.#reserve(length);
    source.copy(this.#bytes, this.#at, propertiesStart, payloadEnd);
    this.#at += length;
  }

  #begin(type: number, id: number): void {
    this.count++;
    this.#u8(type);
    this.#f64(id);
  }

  #u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  #u32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  #f64(value: number): void {
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  #maybeText(value: string | undefined): void {
    this.#u8(value === undefined ? 0 : 1);
    if (value !== undefined) this.#text(value);
  }

  #text(value: string): void {
    this.#lengthAndBytes(Buffer.from(value, "utf8"));
  }

  #lengthAndBytes(value: Buffer): void {
    this.#u32(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + more));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

const startBytes = 65_536;
/** A buffer that one large turn needed is not kept for ever. */
const keptBytes = 4 * 1024 * 1024;
