import type { Gap } from "../store/gaps.ts";
import type { Link } from "./link.ts";
import { REASON } from "./link.ts";
import { timeText } from "./payloads.ts";
import { type Context, timeOf } from "./state.ts";

const CHECK_MS = 2000;
const REFUSED_MS = 60_000;

/** Tells on `gaps` of what was dropped or lost; the store forgets each one once the broker has it. */
export async function tellGaps(link: Link, context: Context, signal: AbortSignal): Promise<never> {
  const { clock, store } = context.deps;
  for (;;) {
    let isRefused = false;
    for (const gap of store.outbox.gaps()) {
      const message = { topic: context.options.topics.gaps, payload: gapPayload(gap, context), qos: 1 } as const;
      const code = await link.publish(message, false);
      if (code < REASON.unspecified) store.outbox.acknowledgeGap(gap);
      else isRefused = true;
      if (isRefused) break;
    }
    await clock.sleep(isRefused ? REFUSED_MS : CHECK_MS, signal);
  }
}

function gapPayload({ epoch, from, to, count, reason, since, until, destination }: Gap, { deps }: Context): string {
  return JSON.stringify({
    epoch,
    from,
    to,
    count,
    reason,
    since: since && timeText(timeOf(deps, since).wallMs),
    until: until && timeText(timeOf(deps, until).wallMs),
    consumer: destination,
  });
}
