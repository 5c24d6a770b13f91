import type { BrokerLimits } from "../limits.ts";
import type { Message } from "../message.ts";
import { type BrokerStats, heldBytes } from "../stats.ts";
import { type RetainedEntry, type RetainedNode, RetainedWalk } from "./retained-walk.ts";

/** The last retained message of each topic, by the levels of the topic. */
export class RetainedMessages {
  readonly #root: RetainedNode = { children: undefined, entry: undefined };
  readonly #limits: BrokerLimits;
  readonly #stats: BrokerStats;
  /** Levels that exist only for messages below them take memory too, and count as bytes. */
  #nodes = 0;
  /** Counts what was ever retained: tells what came after a subscription from what was there before. */
  sequence = 0;

  constructor(limits: BrokerLimits, stats: BrokerStats) {
    this.#limits = limits;
    this.#stats = stats;
  }

  /** Whether `set` would keep it now. */
  accepts(message: Message): boolean {
    const levels = message.topic.name.split("/");
    const previous = this.#find(levels)?.entry;
    return message.payloadBytes === 0 || this.#hasRoom(message.byteLength, levels.length, previous);
  }

  /** Replaces the topic's message, or clears it with an empty one. False: there is no room, and nothing changed. */
  set(message: Message): boolean {
    return this.#set(message, () => message.compact());
  }

  /** As `set`, with a message that may be kept as it is. */
  restore(message: Message): boolean {
    return this.#set(message, () => message);
  }

  #set(message: Message, kept: () => Message): boolean {
    const levels = message.topic.name.split("/");
    if (message.payloadBytes === 0) {
      this.#clear(levels); // [MQTT-3.3.1-6] [MQTT-3.3.1-7]
      return true;
    }
    const previous = this.#find(levels)?.entry;
    const bytes = message.byteLength;
    if (!this.#hasRoom(bytes, levels.length, previous)) return false;
    const node = this.#grow(levels);
    this.#count(previous, -1);
    node.entry = { message: kept(), bytes, sequence: ++this.sequence };
    this.#count(node.entry, 1);
    return true;
  }

  find(topic: string): Message | undefined {
    return this.#find(topic.split("/"))?.entry?.message;
  }

  /**
   * Those that match the filter, of which `sequence` tells what is newer than a subscription. Reads as it goes: a
   * message that is replaced meanwhile is given as it then is.
   */
  matching(filter: string): RetainedWalk {
    return new RetainedWalk(this.#root, filter);
  }

  /** Drops those whose expiry has passed [MQTT-3.3.2-5] and returns them. */
  expire(nowMs: number): Message[] {
    const expired: Message[] = [];
    for (const { message } of all(this.#root)) if (message.expiresAtMs <= nowMs) expired.push(message);
    for (const { topic } of expired) this.#clear(topic.name.split("/"));
    return expired;
  }

  #hasRoom(bytes: number, levels: number, previous: RetainedEntry | undefined): boolean {
    const messages = this.#stats.retainedMessages + (previous ? 0 : 1);
    const nodes = this.#nodes + (previous ? 0 : levels);
    const total = this.#stats.retainedBytes + bytes - (previous?.bytes ?? 0) + nodes * nodeBytes;
    const { retainedMessages, retainedBytes, memoryBytes } = this.#limits;
    const held = heldBytes(this.#stats) + bytes - (previous?.bytes ?? 0);
    return messages <= retainedMessages && total <= retainedBytes && held <= memoryBytes;
  }

  #count(entry: RetainedEntry | undefined, sign: 1 | -1): void {
    if (entry === undefined) return;
    this.#stats.retainedMessages += sign;
    this.#stats.retainedBytes += sign * entry.bytes;
  }

  #find(levels: readonly string[]): RetainedNode | undefined {
    let node: RetainedNode | undefined = this.#root;
    for (const level of levels) node = node?.children?.get(level);
    return node;
  }

  #grow(levels: readonly string[]): RetainedNode {
    let node = this.#root;
    for (const level of levels) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = { children: undefined, entry: undefined };
        node.children.set(level, child);
        this.#nodes++;
      }
      node = child;
    }
    return node;
  }

  #clear(levels: readonly string[]): void {
    this.#count(this.#find(levels)?.entry, -1);
    this.#prune(this.#root, levels, 0);
  }

  /** Returns whether nothing is left of the node. */
  #prune(node: RetainedNode, levels: readonly string[], depth: number): boolean {
    const level = levels[depth];
    if (level === undefined) node.entry = undefined;
    else {
      const child = node.children?.get(level);
      if (child && this.#prune(child, levels, depth + 1)) {
        node.children?.delete(level);
        if (node.children?.size === 0) node.children = undefined;
        this.#nodes--;
      }
    }
    return node.children === undefined && node.entry === undefined;
  }
}

/** About what a level takes: a map and its place in the one above. */
const nodeBytes = 150;

function* all(node: RetainedNode): Generator<RetainedEntry> {
  if (node.entry) yield node.entry;
  for (const child of node.children?.values() ?? []) yield* all(child);
}
