import { Message } from "../message.ts";
import type { TopicTable } from "../routing/topic-table.ts";
import type { Will } from "../sessions/will.ts";
import { ChangeReader } from "./change-reader.ts";
import { ChangeWriter } from "./change-writer.ts";

/** The delay in milliseconds, then the message, whose expiry counts from when it is published. */
export function encodeWill(will: Will): Buffer {
  const head = Buffer.alloc(8);
  head.writeDoubleLE(will.delayMs);
  const writer = new ChangeWriter();
  writer.storedMessage(will.message(0));
  return Buffer.concat([head, writer.take()]);
}

export function decodeWill(bytes: Buffer, topics: TopicTable): Will {
  const stored = new ChangeReader(Buffer.from(bytes.subarray(8))).storedMessage();
  const topic = topics.intern(stored.topicBytes, 0, stored.topicBytes.length);
  return {
    delayMs: bytes.readDoubleLE(0),
    message: (nowMs) => new Message(topic, stored, nowMs + stored.expiresAtMs, true),
  };
}
