import { crc32 } from "node:zlib";

/** Length and CRC-32 of the payload, both 32 bits, little endian. */
export const FRAME_HEAD_BYTES = 8;

/** Completes a frame whose payload stands behind room for its head. */
export function sealFrame(frame: Buffer): Buffer {
  frame.writeUInt32LE(frame.length - FRAME_HEAD_BYTES, 0);
  frame.writeUInt32LE(crc32(frame.subarray(FRAME_HEAD_BYTES)), 4);
  return frame;
}

/** The payloads of all whole frames; ends at the first that is torn or damaged. */
export function framePayloads(bytes: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  let offset = 0;
  while (offset + FRAME_HEAD_BYTES <= bytes.length) {
    const end = offset + FRAME_HEAD_BYTES + bytes.readUInt32LE(offset);
    if (end > bytes.length) break;
    const payload = bytes.subarray(offset + FRAME_HEAD_BYTES, end);
    if (crc32(payload) !== bytes.readUInt32LE(offset + 4)) break;
    payloads.push(payload);
    offset = end;
  }
  return payloads;
}
