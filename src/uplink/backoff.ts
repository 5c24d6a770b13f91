import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/random.ts";
import type { Backoff } from "./options.ts";

/**
 * Full jitter (Brooker, "Exponential Backoff And Jitter"): anywhere between the minimum and a ceiling that doubles with
 * each attempt, so that twenty gateways do not come back in step. `attempt` counts from 0.
 */
export function reconnectDelayMs(attempt: number, random: Random, { minMs, maxMs }: Backoff): number {
  const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(attempt + 1, 30));
  return minMs + random() * (ceilingMs - minMs);
}

/** For refusals that only the operator can lift: the upper half of the range, from the first attempt on. */
export function slowDelayMs(random: Random, { maxMs }: Backoff): number {
  return (maxMs / 2) * (1 + random());
}

/** Waits as long as the attempt asks for; rejects with the signal's reason. */
export function backoffSleep(
  attempt: number,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  range: Backoff,
  signal: AbortSignal,
): Promise<void> {
  return clock.sleep(reconnectDelayMs(attempt, random, range), signal);
}
