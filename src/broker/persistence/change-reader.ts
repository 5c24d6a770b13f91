import type { Qos } from "../codec/packets.ts";
import { type Changes, changeType, type StoredMessage } from "./changes.ts";

/** Repeats what a `ChangeWriter` wrote. The bytes were checked by whoever kept them: what is not a change is a bug. */
export function readChanges(bytes: Buffer, to: Changes): void {
  const from = new ChangeReader(bytes);
  while (!from.atEnd) {
    const type = from.u8();
    const read = readers[type];
    if (read === undefined) throw new Error(`change of type ${type}`);
    read(from, from.f64(), to);
  }
}

const readers: Readonly<Record<number, (from: ChangeReader, id: number, to: Changes) => void>> = {
  [changeType.session](from, id, to) {
    const clientId = from.text();
    const username = from.maybeText();
    const aclFile = from.maybeText();
    const [expiryMs, detachedAtMs, will] = [from.f64(), from.f64(), from.bytes()];
    to.session(id, { clientId, username, aclFile, expiryMs, detachedAtMs, will });
  },
  [changeType.sessionEnded]: (_, id, to) => to.sessionEnded(id),
  [changeType.subscribed](from, id, to) {
    const filter = from.text();
    const flags = from.u8();
    const qos = (flags & 3) as Qos;
    const identifier = from.u32();
    to.subscribed(id, { filter, qos, noLocal: (flags & 4) > 0, retainAsPublished: (flags & 8) > 0, identifier });
  },
  [changeType.unsubscribed]: (from, id, to) => to.unsubscribed(id, from.text()),
  [changeType.message]: (from, id, to) => to.message(id, from.storedMessage()),
  [changeType.messageForgotten]: (_, id, to) => to.messageForgotten(id),
  [changeType.queued](from, id, to) {
    const [session, message, flags] = [from.f64(), from.f64(), from.u8()];
    const length = from.u32();
    const subscriptionIds = length === 0 ? none : Array.from({ length }, () => from.u32());
    const share = (flags & 8) > 0 ? from.text() : "";
    to.queued(id, { session, message, qos: (flags & 3) as Qos, retain: (flags & 4) > 0, subscriptionIds, share });
  },
  [changeType.sent]: (from, id, to) => to.sent(id, from.u32()),
  [changeType.released]: (_, id, to) => to.released(id),
  [changeType.finished]: (_, id, to) => to.finished(id),
  [changeType.received]: (from, id, to) => to.received(id, from.u32()),
  [changeType.receiptEnded]: (from, id, to) => to.receiptEnded(id, from.u32()),
  [changeType.retained]: (from, _, to) => to.retained(from.storedMessage()),
  [changeType.cleared]: (from, _, to) => to.cleared(from.bytes()),
};

const none: readonly number[] = [];

export class ChangeReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  u32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32LE(this.#at - 4);
  }

  f64(): number {
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  bytes(): Buffer {
    const length = this.u32();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  maybeText(): string | undefined {
    return this.u8() === 1 ? this.text() : undefined;
  }

  storedMessage(): StoredMessage {
    const topicBytes = this.bytes();
    const flags = this.u8();
    const expiresAtMs = this.f64();
    const expiryAt = this.u32() - 1;
    const propertiesBytes = this.u32();
    const length = this.u32();
    const propertiesStart = this.#at;
    this.#at += length;
    // The chunk itself, not a view of its own for each message: a view costs more to make and to hold than the rest.
    return {
      topicBytes,
      qos: (flags & 3) as Qos,
      retain: (flags & 4) > 0,
      expiresAtMs,
      expiryAt,
      source: this.#bytes,
      propertiesStart,
      payloadStart: propertiesStart + propertiesBytes,
      payloadEnd: this.#at,
    };
  }
}
