import type { Qos, Version } from "./codec/packets.ts";
import { encodePublish, type PublishParts, type PublishView, type Wire } from "./codec/publish.ts";
import type { Topic } from "./routing/topic-table.ts";

/**
 * An application message on its way. It lies in the socket's chunk it came in until someone keeps it: `keep` before the
 * chunk is left. Each form on the wire is written once, whoever it goes to.
 */
export class Message implements PublishParts {
  readonly topic: Topic;
  readonly topicBytes: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  /** On the monotonic clock; Infinity without an expiry. */
  expiresAtMs: number;
  source: Buffer;
  propertiesStart: number;
  payloadStart: number;
  payloadEnd: number;
  expiryAt: number;
  /** Under which id it is on its way to the disk, and how many deliveries refer to it there. */
  kept: { readonly id: number; deliveries: number } | undefined;
  /** How many deliveries of it are unacknowledged: together they hold its bytes once. */
  unacknowledged = 0;
  /** Retained, it is not kept over a restart: whoever published it does so again. */
  volatile = false;
  #owned: boolean;
  #isForLong = false;
  readonly #wires: (Wire | undefined)[] = [];

  constructor(topic: Topic, parts: MessageParts, expiresAtMs: number, owned = false) {
    this.topic = topic;
    this.topicBytes = topic.bytes;
    this.qos = parts.qos;
    this.retain = parts.retain;
    this.expiresAtMs = expiresAtMs;
    this.source = parts.source;
    this.propertiesStart = parts.propertiesStart;
    this.payloadStart = parts.payloadStart;
    this.payloadEnd = parts.payloadEnd;
    this.expiryAt = parts.expiryAt;
    this.#owned = owned;
  }

  get payloadBytes(): number {
    return this.payloadEnd - this.payloadStart;
  }

  get expires(): boolean {
    return this.expiresAtMs !== Number.POSITIVE_INFINITY;
  }

  /** What it takes in memory, about. */
  get byteLength(): number {
    return this.topicBytes.length + this.payloadEnd - this.propertiesStart;
  }

  wire(version: Version, qos: Qos, retain: boolean, subscriptionIds?: readonly number[]): Wire {
    if (subscriptionIds !== undefined && version === 5)
      return encodePublish(this, version, qos, retain, subscriptionIds);
    const form = (version - 4) * 6 + qos * 2 + (retain ? 1 : 0);
    const known = this.#wires[form];
    if (known !== undefined) return known;
    const wire = encodePublish(this, version, qos, retain);
    this.#wires[form] = wire;
    if (!this.#owned) this.#adopt(wire, version);
    return wire;
  }

  /** Makes it independent of the chunk it came in. For long: once it is `routed`, of the pool that small buffers share, too. */
  keep(forLong: boolean): void {
    if (forLong) this.#isForLong = true;
    if (this.#owned) return;
    const bytes = this.payloadEnd - this.propertiesStart;
    this.#own(forLong ? Buffer.allocUnsafeSlow(bytes) : Buffer.allocUnsafe(bytes));
  }

  /**
   * Everyone has it. What someone keeps for long lets go of what was only of use to the others: their forms on the wire,
   * and a shared pool of small buffers, of which a hundred bytes would keep 8 KB alive that no limit counts.
   */
  routed(): void {
    if (!this.#isForLong) return;
    this.#wires.length = 0;
    const bytes = this.payloadEnd - this.propertiesStart;
    if (this.source.buffer.byteLength > bytes + wireOverheadBytes) this.#own(Buffer.allocUnsafeSlow(bytes));
  }

  /** A copy for long: it neither keeps a shared pool of small buffers alive nor forms on the wire. */
  compact(): Message {
    const copy = new Message(this.topic, this, this.expiresAtMs);
    copy.volatile = this.volatile;
    copy.#own(Buffer.allocUnsafeSlow(this.payloadEnd - this.propertiesStart));
    return copy;
  }

  /** The same bytes, for one round of deliveries after which the forms on the wire are forgotten. */
  view(): Message {
    return new Message(this.topic, this, this.expiresAtMs, true);
  }

  #own(bytes: Buffer): void {
    this.source.copy(bytes, 0, this.propertiesStart, this.payloadEnd);
    this.source = bytes;
    this.payloadStart -= this.propertiesStart;
    this.payloadEnd -= this.propertiesStart;
    this.propertiesStart = 0;
    this.#owned = true;
  }

  /** A written form holds all there is (3.1.1 only where there are no properties): no copy of our own is needed. */
  #adopt(wire: Wire, version: Version): void {
    if (version === 4 && this.payloadStart !== this.propertiesStart) return;
    this.source = wire.bytes;
    this.propertiesStart = version === 4 ? wire.payloadStart : wire.propertiesStart;
    this.payloadStart = wire.payloadStart;
    this.payloadEnd = wire.bytes.length;
    this.#owned = true;
  }
}

/** What a form on the wire may hold beside the message's own bytes, so that a large one is not copied for its header. */
const wireOverheadBytes = 1024;

export type MessageParts = Pick<
  PublishView,
  "source" | "qos" | "retain" | "propertiesStart" | "payloadStart" | "payloadEnd" | "expiryAt"
>;
