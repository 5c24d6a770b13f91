import { crc32 } from "node:zlib";

/** Length and CRC-32 of the payload, both 32 bits, little endian. */
const HEAD_BYTES = 8;

/** One frame: length, CRC, JSON. */
export function encodeFrame(value: unknown): Buffer {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + length);
  frame.write(text, HEAD_BYTES);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt32LE(crc32(frame.subarray(HEAD_BYTES)), 4);
  return frame;
}

/** The values of all whole frames; ends at the first that is torn or damaged. */
export function decodeFrames(bytes: Buffer): unknown[] {
  const values: unknown[] = [];
  let offset = 0;
  while (offset + HEAD_BYTES <= bytes.length) {
    const end = offset + HEAD_BYTES + bytes.readUInt32LE(offset);
    if (end > bytes.length) break;
    const payload = bytes.subarray(offset + HEAD_BYTES, end);
    if (crc32(payload) !== bytes.readUInt32LE(offset + 4)) break;
    values.push(JSON.parse(payload.toString("utf8")));
    offset = end;
  }
  return values;
}
