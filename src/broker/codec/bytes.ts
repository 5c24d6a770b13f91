import { malformed } from "./reasons.ts";
import { decodeUtf8 } from "./utf8.ts";

export const maxVariableByteInteger = 268_435_455;

/** Reads the body of one packet; running past its end is a malformed packet. */
export class Reader {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  u8(): number {
    return this.bytes[this.#take(1)] as number;
  }

  u16(): number {
    return this.bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.bytes.readUInt32BE(this.#take(4));
  }

  /** At most four bytes, in the shortest form [MQTT-1.5.5-1]. */
  variableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw malformed("a variable byte integer is longer than it needs to be");
        return value;
      }
    }
    throw malformed("a variable byte integer is longer than four bytes");
  }

  string(): string {
    const length = this.u16();
    const start = this.#take(length);
    return decodeUtf8(this.bytes, start, start + length);
  }

  /** A copy: what is read may be kept, the socket's chunk may not. */
  binary(): Buffer {
    const length = this.u16();
    const start = this.#take(length);
    return Buffer.from(this.bytes.subarray(start, start + length));
  }

  rest(): Buffer {
    const start = this.#take(this.remaining);
    return Buffer.from(this.bytes.subarray(start, this.end));
  }

  /** A reader of the next `length` bytes; this one goes on behind them. */
  section(length: number): Reader {
    const start = this.#take(length);
    return new Reader(this.bytes, start, start + length);
  }

  expectEnd(): void {
    if (this.at !== this.end) throw malformed(`${this.remaining} bytes too many at the end of the packet`);
  }

  #take(length: number): number {
    const start = this.at;
    if (start + length > this.end) throw malformed("the packet ends in the middle of a field");
    this.at = start + length;
    return start;
  }
}

/** Collects the bytes of one packet. */
export class Writer {
  #bytes = Buffer.allocUnsafe(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  variableByteInteger(value: number): void {
    if (value > maxVariableByteInteger) throw new RangeError(`${value} does not fit a variable byte integer`);
    let rest = value;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  string(value: string): void {
    this.binary(Buffer.from(value, "utf8"));
  }

  binary(value: Uint8Array): void {
    if (value.length > 0xffff) throw new RangeError(`${value.length} bytes do not fit a field of 65,535`);
    this.u16(value.length);
    this.raw(value);
  }

  raw(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): number {
    const at = this.#length;
    this.#length = at + length;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }
}

/** Fixed header and body. */
export function frame(firstByte: number, body: Writer): Buffer {
  const packet = new Writer();
  packet.u8(firstByte);
  packet.variableByteInteger(body.length);
  packet.raw(body.done());
  return packet.done();
}
