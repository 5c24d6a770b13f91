import { checkFirstByte, findBody, remainingLength } from "./codec/fixed-header.ts";
import { packetType } from "./codec/packets.ts";
import { malformed, ProtocolFault, reason } from "./codec/reasons.ts";

/** Takes one packet: its first byte, and its body in `bytes`. Returns false to have the rest kept for `resume`. */
export type TakePacket = (first: number, bytes: Buffer, start: number, end: number) => boolean;

const nothing = Buffer.alloc(0);

const markable: ReadonlySet<number> = new Set([0x6a, 0x8a, 0xaa]);

/** Nobody is known by then: more than a will and a password of full length is not waited for. Mosquitto takes 100,000. */
export const maxConnectBytes = 131_072;

/**
 * Cuts a stream into packets. A packet that lies whole in a chunk is handed on where it lies; only the one that a
 * chunk ends in is copied. What a header alone can be refused for is refused before the body is waited for.
 */
export class Parser {
  readonly #take: TakePacket;
  readonly #maxPacketBytes: number;
  /** The beginning of a packet that is not complete yet. */
  #partial = nothing;
  #partialLength = 0;
  /** What came after the packet at which `take` asked to stop. */
  #kept: Buffer | undefined;
  #connectSeen = false;
  /** MQTT 5.0 asks for the shortest form of every length [MQTT-1.5.5-1], 3.1.1 does not. */
  strictLength = false;
  /** In MQTT 3.1 PUBREL, SUBSCRIBE and UNSUBSCRIBE are marked, too, when they are repeated. */
  repeatsAreMarked = false;
  /** Was the last header longer than it had to be? CONNECT says which version it is only after its header. */
  longHeader = false;

  /** Told by how much what is held grows or shrinks; may throw ProtocolFault where there is no room for more. */
  readonly #account: (bytes: number) => void;

  constructor(maxPacketBytes: number, take: TakePacket, account: (bytes: number) => void = () => {}) {
    this.#account = account;
    this.#maxPacketBytes = maxPacketBytes;
    this.#take = take;
  }

  /** Throws ProtocolFault; the stream is of no use afterwards. */
  feed(chunk: Buffer): void {
    if (this.#kept !== undefined) {
      this.#kept = Buffer.concat([this.#kept, chunk]);
      return;
    }
    let at = 0;
    while (this.#partialLength > 0 && at < chunk.length) {
      at = this.#complete(chunk, at);
      if (this.#kept !== undefined) return;
    }
    this.#cut(chunk, at);
  }

  /** Goes on after `take` returned false. */
  resume(): void {
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept !== undefined) this.#cut(kept, 0);
  }

  /** Forgets a packet that is not complete. */
  release(): void {
    const held = this.#partial.length;
    this.#partial = nothing;
    this.#partialLength = 0;
    this.#account(-held);
  }

  #cut(chunk: Buffer, from: number): void {
    const end = chunk.length;
    let at = from;
    while (at < end) {
      const first = chunk[at] as number;
      this.#checkFirst(first);
      const bodyStart = findBody(chunk, at, end);
      if (bodyStart < 0) break;
      const bodyEnd = bodyStart + this.#bodyLength(chunk, at, bodyStart);
      if (bodyEnd > end) break;
      const goOn = this.#take(first, chunk, bodyStart, bodyEnd);
      at = bodyEnd;
      if (!goOn) {
        this.#kept = Buffer.from(chunk.subarray(at));
        return;
      }
    }
    if (at < end) this.#keepPartial(chunk, at, end);
  }

  /** Adds to the partial packet what belongs to it; returns where the rest begins. */
  #complete(chunk: Buffer, from: number): number {
    let at = from;
    while (findBody(this.#partial, 0, this.#partialLength) < 0) {
      if (at === chunk.length) return at;
      this.#keepPartial(chunk, at, at + 1);
      at++;
    }
    const bodyStart = findBody(this.#partial, 0, this.#partialLength);
    const bodyEnd = bodyStart + this.#bodyLength(this.#partial, 0, bodyStart);
    const missing = Math.min(bodyEnd - this.#partialLength, chunk.length - at);
    this.#keepPartial(chunk, at, at + missing);
    at += missing;
    if (this.#partialLength === bodyEnd) this.#takePartial(bodyStart, bodyEnd, chunk, at);
    return at;
  }

  #takePartial(bodyStart: number, bodyEnd: number, chunk: Buffer, at: number): void {
    const packet = this.#partial;
    this.release();
    if (!this.#take(packet[0] as number, packet, bodyStart, bodyEnd)) this.#kept = Buffer.from(chunk.subarray(at));
  }

  #checkFirst(first: number): void {
    if (this.#connectSeen) {
      const isMarked = this.repeatsAreMarked && markable.has(first);
      if (!isMarked) checkFirstByte(first);
      return;
    }
    if (first >> 4 !== packetType.connect)
      throw new ProtocolFault(reason.protocolError, "the first packet is not CONNECT"); // [MQTT-3.1.0-1]
    this.#connectSeen = true; // its flags are judged with its version, which comes later
  }

  #bodyLength(bytes: Buffer, start: number, bodyStart: number): number {
    this.longHeader = bytes[bodyStart - 1] === 0 && bodyStart - start > 2;
    if (this.longHeader && this.strictLength) throw malformed("the remaining length is longer than it needs to be");
    const length = remainingLength(bytes, start, bodyStart);
    const packetBytes = bodyStart - start + length;
    const isConnect = (bytes[start] as number) >> 4 === packetType.connect;
    if (packetBytes > (isConnect ? Math.min(maxConnectBytes, this.#maxPacketBytes) : this.#maxPacketBytes))
      throw new ProtocolFault(reason.packetTooLarge, `a packet of ${packetBytes} bytes`);
    return length;
  }

  /** Grows by doubling: a stated length costs nothing until its bytes are there. */
  #keepPartial(chunk: Buffer, start: number, end: number): void {
    const length = this.#partialLength + end - start;
    if (length > this.#partial.length) {
      const size = Math.max(length, this.#partial.length * 2);
      this.#account(size - this.#partial.length);
      const grown = Buffer.allocUnsafeSlow(size);
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    chunk.copy(this.#partial, this.#partialLength, start, end);
    this.#partialLength = length;
  }
}
