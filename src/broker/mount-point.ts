import type { Qos, Version } from "./codec/packets.ts";
import { encodePublish, type Wire } from "./codec/publish.ts";
import { ProtocolFault, protocolError, reason } from "./codec/reasons.ts";
import { isTopicFilter, type SharedFilter, sharedFilter } from "./codec/topic-rules.ts";
import type { Message } from "./message.ts";
import type { Topic, TopicTable } from "./routing/topic-table.ts";

/**
 * What stands before every topic of a listener's clients, who neither see it nor reach what is not below it. As with
 * Mosquitto rules of access see the whole topic, `$SYS` is out of reach and response topics are left as they are. Unlike
 * there, shared subscriptions work: the prefix goes before their filter instead of before `$share`.
 */
export class MountPoint {
  readonly #prefix: string;
  readonly #bytes: Buffer;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#bytes = Buffer.from(prefix, "utf8");
  }

  /** The topic that a client means by these bytes. Throws ProtocolFault. */
  intern(topics: TopicTable, bytes: Buffer, start: number, end: number): Topic {
    if (start === end) throw protocolError("the topic is empty"); // [MQTT-4.7.3-1]
    const mounted = Buffer.concat([this.#bytes, bytes.subarray(start, end)]);
    if (mounted.length > 0xffff)
      throw new ProtocolFault(reason.topicNameInvalid, `a topic of ${mounted.length} bytes with its mount point`);
    return topics.intern(mounted, 0, mounted.length);
  }

  topic(name: string): string {
    return this.#prefix + name;
  }

  /** Undefined: it is none with the prefix before it, as `#` where the prefix does not end with `/`. */
  filter(filter: string): string | undefined {
    const shared = sharedFilter(filter) as SharedFilter | undefined; // what is malformed was refused
    const mounted = this.#prefix + (shared?.filter ?? filter);
    if (!isTopicFilter(mounted) || Buffer.byteLength(mounted) > 0xffff) return undefined;
    return shared === undefined ? mounted : `$share/${shared.share}/${mounted}`;
  }

  /** The PUBLISH as its clients get it. Undefined: its topic is not theirs, as where a session came from another listener. */
  wire(message: Message, version: Version, qos: Qos, retain: boolean, ids?: readonly number[]): Wire | undefined {
    const { topicBytes } = message;
    const prefixBytes = this.#bytes.length;
    if (topicBytes.length <= prefixBytes || !topicBytes.subarray(0, prefixBytes).equals(this.#bytes)) return undefined;
    const { source, propertiesStart, payloadStart, payloadEnd, expiryAt, expiresAtMs } = message;
    const parts = { source, propertiesStart, payloadStart, payloadEnd, expiryAt, expiresAtMs };
    return encodePublish({ ...parts, topicBytes: topicBytes.subarray(prefixBytes) }, version, qos, retain, ids);
  }
}
