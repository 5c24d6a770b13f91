import { GatewayError } from "../core/errors.ts";

/** Retained messages at one broker. Both reject with BROKER_UNREACHABLE or BROKER_REFUSED. */
export interface RetainedPorts {
  /** Publishes an empty retained message to each, at QoS 1. */
  clearRetained(topics: readonly string[]): Promise<void>;
  /** Which of these exact topics the broker still has a retained message on. */
  retainedAmong(topics: readonly string[]): Promise<string[]>;
}

/** Clears the topics, and asks the broker for each: `gone` hears of those that it has nothing on any more. */
export async function clearAndSee(
  topics: readonly string[],
  ports: RetainedPorts,
  gone: (topic: string) => Promise<void>,
): Promise<void> {
  await ports.clearRetained(topics);
  const left = new Set(await ports.retainedAmong(topics));
  for (const topic of topics) if (!left.has(topic)) await gone(topic);
  if (left.size > 0) throw new GatewayError("BROKER_REFUSED", `the broker still retains ${[...left].join(", ")}`);
}
