import type { GatewayError } from "../core/errors.ts";
import { backoffSleep } from "./backoff.ts";
import { connectMqtt } from "./client/mqtt-client.ts";
import type { Link, LinkEnd } from "./link.ts";
import { lostError } from "./link.ts";
import type { Context } from "./state.ts";

/** Who wants to know of them. */
export interface FurtherEvents {
  joined(link: Link): void;
  left(link: Link, end: LinkEnd): void;
}

/**
 * The second connection to the last one, beside the first and for as long as it lasts. They carry readings and nothing
 * else: no will, so that losing one says nothing of the gateway. One that is down is tried again on its own, and its
 * devices go over the others meanwhile. Resolves when all have ended, after the signal.
 */
export async function keepFurther(
  first: Link,
  url: string,
  context: Context,
  events: FurtherEvents,
  signal: AbortSignal,
): Promise<void> {
  const numbers = Array.from({ length: context.options.connections - 1 }, (_, index) => index + 2);
  await Promise.all(numbers.map((number) => keepOne(number, first, url, context, events, signal)));
  context.memory.further.clear();
}

async function keepOne(
  number: number,
  { protocol }: Link,
  url: string,
  { options, deps, memory }: Context,
  events: FurtherEvents,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, connect = connectMqtt } = deps;
  const down = (error: GatewayError) => {
    const known = memory.further.get(number)?.lastError?.message;
    if (known !== error.message) log.warn("a further connection is down", { number, error: error.message });
    memory.further.set(number, { connected: false, lastError: error });
  };
  let attempts = 0;
  try {
    for (;;) {
      const clientId = `${options.clientId}-${number}`;
      const outcome = await connect({ ...options, url, protocol, clientId }, clock, signal);
      if ("refused" in outcome) {
        down(outcome.refused.error);
      } else {
        const sinceMonoMs = clock.monoMs();
        memory.further.set(number, { connected: true });
        const end = await carry(outcome.link, events, signal);
        if (signal.aborted) return;
        down(lostError(outcome.link.url, end));
        if (clock.monoMs() - sinceMonoMs >= options.reconnect.stableMs) attempts = 0;
      }
      await backoffSleep(attempts++, deps, options.reconnect, signal);
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

async function carry(link: Link, events: FurtherEvents, signal: AbortSignal): Promise<LinkEnd> {
  const stop = () => void link.end();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  else events.joined(link);
  const end = await link.closed;
  signal.removeEventListener("abort", stop);
  events.left(link, end);
  return end;
}
