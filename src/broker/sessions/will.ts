import { Writer } from "../codec/bytes.ts";
import type { WillMessage } from "../codec/packets.ts";
import { writePropertiesWithoutLength } from "../codec/properties.ts";
import type { MessageParts } from "../message.ts";
import { Message } from "../message.ts";
import type { Topic } from "../routing/topic-table.ts";

/** What is published for a client that went without a word. */
export interface Will {
  readonly delayMs: number;
  /** The message, its expiry counted from when it is published. */
  message(nowMs: number): Message;
}

export function willOf(will: WillMessage, topic: Topic): Will {
  const { willDelayInterval = 0, messageExpiryInterval, ...properties } = will.properties;
  const writer = new Writer();
  writePropertiesWithoutLength(writer, {
    ...properties,
    ...(messageExpiryInterval !== undefined && { messageExpiryInterval }),
  });
  const header = writer.done();
  const parts: MessageParts = {
    source: Buffer.concat([header, will.payload]),
    qos: will.qos,
    retain: will.retain,
    propertiesStart: 0,
    payloadStart: header.length,
    payloadEnd: header.length + will.payload.length,
    expiryAt: messageExpiryInterval === undefined ? -1 : header.length - 4, // it stands last
  };
  const expiryMs = (messageExpiryInterval ?? Number.POSITIVE_INFINITY) * 1000;
  return {
    delayMs: willDelayInterval * 1000,
    message: (nowMs) => new Message(topic, parts, nowMs + expiryMs, true),
  };
}
