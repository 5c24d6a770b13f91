import type { Qos } from "../../../src/broker/codec/packets.ts";

/** The numbers 1, 2, 3 and so on, which one publisher sends to one topic at one QoS. */
export class Stream {
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  sent = 0;
  /** Up to here all are acknowledged: the broker answers in order [MQTT-4.6.0-2], [MQTT-4.6.0-3]. */
  acknowledged = 0;
  /** Those that it said it does not take. */
  readonly refused = new Set<number>();

  constructor(topic: string, qos: Qos, retain = false) {
    this.topic = topic;
    this.qos = qos;
    this.retain = retain;
  }

  /** Retained numbers are cleared now and then. */
  isClearing(n: number): boolean {
    return this.retain && n % 5 === 0;
  }

  acknowledge(n: number): void {
    for (let before = this.acknowledged + 1; before < n; before++)
      if (!this.refused.has(before)) throw new Error(`${this.topic}: ${n} was acknowledged before ${before}`);
    this.acknowledged = n;
  }

  /** The first behind `n` that is not refused. */
  after(n: number): number {
    let next = n + 1;
    while (this.refused.has(next)) next++;
    return next;
  }
}

/** Every stream there is, by its topic. */
export class Streams {
  readonly #byTopic = new Map<string, Stream>();

  open(topic: string, qos: Qos, retain = false): Stream {
    const stream = new Stream(topic, qos, retain);
    this.#byTopic.set(topic, stream);
    return stream;
  }

  of(topic: string): Stream {
    const stream = this.#byTopic.get(topic);
    if (stream === undefined) throw new Error(`nobody publishes to ${topic}`);
    return stream;
  }

  matching(prefix: string): Stream[] {
    return [...this.#byTopic.values()].filter(({ topic }) => topic.startsWith(prefix));
  }

  /** How much the broker has acknowledged, at this QoS. */
  acknowledged(qos: Qos): number {
    return [...this.#byTopic.values()].reduce((sum, one) => sum + (one.qos === qos ? one.acknowledged : 0), 0);
  }
}
