import type { Gap } from "../../store/gaps.ts";
import type { Link } from "../link.ts";
import { REASON } from "../link.ts";
import { type Context, type Memory, timeOf } from "../state.ts";
import { timeText } from "./payloads.ts";

const CHECK_MS = 2000;
const REFUSED_MS = 60_000;
/** A gap that grows with each reading is told at first, and then so often: it is one gap, and not news each time. */
const AGAIN_MS = 60_000;

/** Tells on `gaps` of what was dropped or lost; the store forgets each one once the broker has it. */
export async function tellGaps(link: Link, context: Context, signal: AbortSignal): Promise<never> {
  const { clock, store } = context.deps;
  const { gapsTold } = context.memory;
  for (;;) {
    let isRefused = false;
    for (const gap of dueGaps(store.outbox.gaps(), gapsTold, clock.monoMs())) {
      if (gap.destination?.startsWith(".")) {
        store.outbox.acknowledgeGap(gap); // what a part of the gateway did not read is nobody's hole
        continue;
      }
      const message = { topic: context.options.topics.gaps, payload: gapPayload(gap, context), qos: 1 } as const;
      const code = await link.publish(message, false);
      isRefused = code >= REASON.unspecified;
      if (isRefused) break;
      store.outbox.acknowledgeGap(gap);
      gapsTold.set(kindOf(gap), clock.monoMs());
    }
    await clock.sleep(isRefused ? REFUSED_MS : CHECK_MS, signal);
  }
}

/** Those of a kind of which nothing was told for a while; what is due is told whole. */
function dueGaps(gaps: readonly Gap[], told: Memory["gapsTold"], nowMonoMs: number): readonly Gap[] {
  for (const [kind, toldMonoMs] of told) if (nowMonoMs - toldMonoMs >= AGAIN_MS) told.delete(kind);
  const resting = new Set(told.keys());
  return gaps.filter((gap) => !resting.has(kindOf(gap)));
}

function kindOf({ reason, destination = "" }: Gap): string {
  return `${reason} ${destination}`;
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
