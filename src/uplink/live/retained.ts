import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Random } from "../../core/random.ts";
import type { Topics } from "../../core/topics.ts";
import type { Incoming, Link } from "../link.ts";
import { REASON } from "../link.ts";
import { matches } from "../topic-filter.ts";

/** Filters in one SUBSCRIBE: a packet stays small, and brokers limit them. */
const CHUNK = 50;
/** Some brokers (EMQX) send retained messages from a task of their own, which the fence can overtake. */
const SETTLE_MS = 300;
const FENCE_WAIT_MS = 10_000;

export interface RetainedReader {
  readonly link: Link;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly random: Random;
  /** Filters that are subscribed to for other reasons: they stay. */
  readonly kept: ReadonlySet<string>;
}

/** Publishes an empty retained message to each topic, which removes what was kept there. Throws BROKER_REFUSED. */
export async function clearRetained(link: Link, topics: readonly string[]): Promise<void> {
  for (const topic of topics) {
    const code = await link.publish({ topic, payload: "", qos: 1, retain: true }, true);
    if (code >= REASON.unspecified) {
      throw new GatewayError("BROKER_REFUSED", `clearing ${topic} was refused with reason 0x${code.toString(16)}`);
    }
  }
}

/**
 * The retained messages on topics, or on filters with wildcards, read from the broker: it sends them for the subscription, before what is
 * published after it. A fence of our own therefore tells when there is nothing more to come. Throws BROKER_REFUSED when
 * we may not read the topics or the fence, BROKER_UNREACHABLE when the link ends.
 */
export async function readRetained(reader: RetainedReader, topics: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let start = 0; start < topics.length; start += CHUNK) {
    await readChunk(reader, topics.slice(start, start + CHUNK), found);
  }
  return found;
}

async function readChunk(reader: RetainedReader, topics: readonly string[], found: Map<string, string>) {
  const { link, clock } = reader;
  const fence = reader.topics.response(`fence-${Math.floor(reader.random() * 2 ** 48).toString(16)}`);
  const waiting = new AbortController();
  const stop = link.onMessage((message) => {
    if (message.topic === fence) waiting.abort();
    else if (topics.some((filter) => matches(filter, message.topic))) note(message, found);
  });
  try {
    await link.subscribe([...topics, fence]);
    await link.publish({ topic: fence, payload: "", qos: 1 }, true);
    await clock.sleep(FENCE_WAIT_MS, waiting.signal).catch(() => {});
    if (!waiting.signal.aborted) {
      throw new GatewayError("BROKER_REFUSED", `${link.url} did not send back our own message on ${fence}`);
    }
    await clock.sleep(SETTLE_MS);
    await link.unsubscribe([fence, ...topics.filter((topic) => !reader.kept.has(topic))]);
  } finally {
    stop();
  }
}

function note({ topic, payload, retained }: Incoming, found: Map<string, string>): void {
  if (retained && payload.length > 0) found.set(topic, Buffer.from(payload).toString("utf8"));
}
