import type { Wire } from "../codec/publish.ts";
import { aliasBytes, topicOf, withTopicAlias } from "../codec/topic-alias.ts";

/**
 * Topic aliases towards one client, for one connection [MQTT-3.3.2-7]. The first topics that are sent get them, as with
 * Mosquitto: a wide replay of retained messages would have others thrown out before they are of use. Whatever is given
 * here must be sent, in this order.
 */
export class OutgoingAliases {
  readonly #max: number;
  /** By the topic's bytes as latin1, which tells them apart and is the cheapest to make. */
  readonly #byTopic = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** What the client gets instead; the same where no alias is left [MQTT-3.1.2-26] or the packet would not fit. */
  apply(wire: Wire, maxPacketBytes: number): Wire {
    const { start, end } = topicOf(wire);
    const topic = wire.bytes.toString("latin1", start, end);
    const known = this.#byTopic.get(topic);
    if (known === undefined && this.#byTopic.size >= this.#max) return wire;
    const growsBy = aliasBytes + lengthSlackBytes - (known === undefined ? 0 : end - start);
    if (wire.bytes.length + growsBy > maxPacketBytes) return wire;
    if (known !== undefined) return withTopicAlias(wire, known, true);
    const alias = this.#byTopic.size + 1;
    this.#byTopic.set(topic, alias);
    return withTopicAlias(wire, alias, false);
  }
}

/** The packet's and the properties' length may take a byte more each. */
const lengthSlackBytes = 2;
