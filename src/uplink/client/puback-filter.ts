export interface PubackListener {
  /** False when the packet id is none of ours. */
  acknowledged(packetId: number, reasonCode: number): boolean;
  /** Everything else, in whatever pieces. */
  rest(bytes: Buffer): void;
}

const PUBACK = 0x40;
/** An acknowledgement is a reason code and perhaps a sentence; what is longer is left to who complains about it. */
const PUBACK_MAX_BYTES = 64 * 1024;
const INCOMPLETE = -1;
const MALFORMED = -2;

/** Takes the acknowledgements (MQTT 5 §3.4, 3.1.1 §3.4) out of what a broker sends. */
export class PubackFilter {
  readonly #listener: PubackListener;
  /** The beginning of a packet that has not come as far as it must for knowing what it is. */
  #begun: Buffer | undefined;
  /** How much of the packet that was handed on is still to come. */
  #passing = 0;
  /** A length that MQTT does not know: from there on all of it is somebody else's business. */
  #isLost = false;
  #length = 0;

  constructor(listener: PubackListener) {
    this.#listener = listener;
  }

  feed(chunk: Buffer): void {
    const bytes = this.#begun ? Buffer.concat([this.#begun, chunk]) : chunk;
    this.#begun = undefined;
    let at = Math.min(this.#passing, bytes.length);
    this.#passing -= at;
    let handedOn = 0;
    while (at < bytes.length && !this.#isLost) {
      const body = this.#bodyAt(bytes, at);
      if (body === MALFORMED) {
        this.#isLost = true;
        break;
      }
      const end = body + this.#length;
      const isPuback = bytes[at] === PUBACK && this.#length >= 2 && this.#length <= PUBACK_MAX_BYTES;
      if (body === INCOMPLETE || (isPuback && end > bytes.length)) {
        this.#handOn(bytes, handedOn, at);
        this.#begun = bytes.subarray(at);
        return;
      }
      if (isPuback && this.#take(bytes, body)) {
        this.#handOn(bytes, handedOn, at);
        handedOn = end;
      }
      this.#passing = Math.max(0, end - bytes.length);
      at = end;
    }
    this.#handOn(bytes, handedOn, bytes.length);
  }

  #take(bytes: Buffer, body: number): boolean {
    // Without a code it is success (§3.4.2.1), as it always is before MQTT 5.
    const code = this.#length > 2 ? (bytes[body + 2] ?? 0) : 0;
    return this.#listener.acknowledged(bytes.readUInt16BE(body), code);
  }

  #handOn(bytes: Buffer, from: number, to: number): void {
    if (to > from) this.#listener.rest(bytes.subarray(from, to));
  }

  /** Where the body of the packet at `at` begins, its length in `#length` (§2.1.4). */
  #bodyAt(bytes: Buffer, at: number): number {
    this.#length = 0;
    for (let index = 1; index <= 4; index++) {
      const byte = bytes[at + index];
      if (byte === undefined) return INCOMPLETE;
      this.#length += (byte & 0x7f) << (7 * (index - 1));
      if (byte < 0x80) return at + index + 1;
    }
    return MALFORMED;
  }
}
