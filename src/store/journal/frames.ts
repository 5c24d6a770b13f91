import { FRAME_HEAD_BYTES, framePayloads, sealFrame } from "../../sqlite/frames.ts";

/** One frame: length, CRC, JSON. */
export function encodeFrame(value: unknown): Buffer {
  const text = JSON.stringify(value);
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + Buffer.byteLength(text));
  frame.write(text, FRAME_HEAD_BYTES);
  return sealFrame(frame);
}

/** The values of all whole frames; ends at the first that is torn or damaged. */
export function decodeFrames(bytes: Buffer): unknown[] {
  return framePayloads(bytes).map((payload) => JSON.parse(payload.toString("utf8")));
}
