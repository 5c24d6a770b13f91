import type { Clock } from "../../core/clock.ts";
import { connectMqtt } from "../client/mqtt-client.ts";
import { Dialer } from "../dialer.ts";
import type { Link } from "../link.ts";
import type { UplinkOptions } from "../options.ts";

/**
 * One connection for a command: each address once, without a will, a birth or a second try. Rejects with why the last
 * address refused (BROKER_UNREACHABLE, BROKER_REFUSED, BROKER_TLS).
 */
export async function callBroker(options: UplinkOptions, clock: Clock, signal: AbortSignal): Promise<Link> {
  const dialer = new Dialer(options);
  for (;;) {
    const outcome = await connectMqtt({ ...options, ...dialer.target() }, clock, signal);
    if ("link" in outcome) return outcome.link;
    const { kind, error } = outcome.refused;
    if (dialer.refused(kind) === "wait") throw error;
  }
}
