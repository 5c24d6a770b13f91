import { malformed } from "../codec/reasons.ts";
import { isTopicName, separatorCount } from "../codec/topic-rules.ts";
import { decodeUtf8 } from "../codec/utf8.ts";
import type { Routes } from "./topic-tree.ts";

/** A topic name that was checked, with its bytes and the route that was last found for it. */
export interface Topic {
  readonly name: string;
  readonly bytes: Buffer;
  /** Who gets it, as of `routeVersion` of the topic tree. */
  route: Routes | undefined;
  routeVersion: number;
}

/**
 * Topics by their bytes, so that a topic seen before is neither decoded nor checked nor matched again. A cache of one
 * topic a slot: what falls on a taken slot replaces it, so it is bounded whatever topics are sent.
 */
export class TopicTable {
  readonly #slots: (Topic | undefined)[] = new Array(slotCount).fill(undefined);
  readonly #maxLevels: number;

  constructor(maxLevels: number) {
    this.#maxLevels = maxLevels;
  }

  /** Throws ProtocolFault when the bytes are not a topic name. */
  intern(bytes: Buffer, start: number, end: number): Topic {
    const slot = hash(bytes, start, end) & (slotCount - 1);
    const known = this.#slots[slot];
    if (known !== undefined && isSame(known.bytes, bytes, start, end)) return known;
    const topic = this.#create(bytes, start, end);
    if (topic.bytes.length <= maxCachedBytes) this.#slots[slot] = topic;
    return topic;
  }

  /** For bytes that stay as they are, and that nobody else may ask for soon: neither copied nor remembered. */
  adopt(bytes: Buffer): Topic {
    return { name: this.#nameOf(bytes, 0, bytes.length), bytes, route: undefined, routeVersion: -1 };
  }

  internName(name: string): Topic {
    const bytes = Buffer.from(name, "utf8");
    return this.intern(bytes, 0, bytes.length);
  }

  #create(bytes: Buffer, start: number, end: number): Topic {
    const name = this.#nameOf(bytes, start, end);
    const own = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(own, 0, start, end);
    return { name, bytes: own, route: undefined, routeVersion: -1 };
  }

  #nameOf(bytes: Buffer, start: number, end: number): string {
    const name = decodeUtf8(bytes, start, end);
    if (!isTopicName(name)) throw malformed("the topic is empty or has a wildcard"); // [MQTT-3.3.2-2]
    const separators = separatorCount(name);
    if (separators > this.#maxLevels)
      throw malformed(`a topic of ${separators} levels, ${this.#maxLevels} are allowed`);
    return name;
  }
}

const slotCount = 8192;
const maxCachedBytes = 256;

/** FNV-1a. */
function hash(bytes: Buffer, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ (bytes[at] as number), 0x01000193);
  return value ^ (value >>> 15);
}

function isSame(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (known.length !== length) return false;
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return false;
  return true;
}
