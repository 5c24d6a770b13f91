import { setMaxListeners } from "node:events";
import { isGatewayError } from "../core/errors.ts";
import { isConsumer } from "./backlog/destination.ts";
import { Drain } from "./backlog/drain.ts";
import { Resender } from "./backlog/resend.ts";
import { keepFurther } from "./further.ts";
import type { Incoming, Link, LinkEnd } from "./link.ts";
import { tellMissing } from "./live/discovery.ts";
import { tellGaps } from "./live/gap-teller.ts";
import { LivePlane } from "./live/live.ts";
import type { Fault } from "./live/payloads.ts";
import type { RetainedReader } from "./live/retained.ts";
import { isWayFree } from "./rival.ts";
import type { Context } from "./state.ts";
import { matches } from "./topic-filter.ts";

const FAREWELL_MS = 2000;
const LISTENERS_MAX = 200;

export interface SessionEvents {
  faults(): readonly Fault[];
  opened(session: Session): void;
}

/** What can be asked of a connection while it lasts. */
export interface Session {
  readonly link: Link;
  readonly reader: RetainedReader;
  announceDiscovery(): void;
  /** Resolves when nothing retained is under way. */
  settled(): Promise<void>;
}

/**
 * Everything that happens over one connection, in order: subscriptions, so that no answer is missed; the announcement;
 * then the backlog. Resolves when the connection has ended: by itself, or politely after the signal.
 */
export async function runSession(
  link: Link,
  url: string,
  context: Context,
  { faults, opened }: SessionEvents,
  signal: AbortSignal,
): Promise<LinkEnd> {
  const { options, deps } = context;
  const over = new AbortController();
  // Each part, and each further connection, waits for it at several places.
  setMaxListeners(LISTENERS_MAX, over.signal);
  const stop = () => over.abort();
  signal.addEventListener("abort", stop, { once: true });
  let bug: { readonly error: unknown } | undefined;
  const failed = (error: unknown) => {
    // A broker that does not do its part is left and tried again; what is unknown is ours and goes to the top.
    if (isGatewayError(error)) return link.abort(error.message);
    bug ??= { error };
    over.abort();
  };
  const ended = link.closed.then(stop);
  const kept = new Set(context.subscriptions.map(({ filter }) => filter));
  const reader = { link, topics: options.topics, clock: deps.clock, random: deps.random, kept };
  const live = new LivePlane(reader, context, faults, failed);
  const drain = new Drain(link, context);
  let further: Promise<void> | undefined;
  const work = async () => {
    await listen(link, context);
    if (!(await isWayFree(reader, context, over.signal))) return await link.end();
    // Not sooner: it may be the topic of another, whose it then stays.
    await live.noteWill();
    opened({
      link,
      reader,
      announceDiscovery: () => attempt(live.announceDiscovery(over.signal), over.signal, failed),
      settled: () => live.settled(),
    });
    await tellMissing(reader, context);
    live.follow(over.signal);
    await live.announce(over.signal);
    deps.announced?.();
    // Who subscribes because of the discovery gets a retained state anyway, and after an outage the newest goes out once.
    const isKept = options.retainState && link.retainAvailable;
    if (!isKept) attempt(live.repeatStates(over.signal), over.signal, failed);
    attempt(live.beat(over.signal), over.signal, failed);
    attempt(live.reportHealth(over.signal), over.signal, failed);
    attempt(tellGaps(link, context, over.signal), over.signal, failed);
    for (const consumer of deps.store.outbox.destinations.filter(isConsumer)) {
      const resender = new Resender(consumer, link, context, context.receipts, over.signal);
      attempt(resender.run(over.signal), over.signal, failed);
    }
    further = keepFurther(link, url, context, drain, over.signal);
    attempt(further, over.signal, failed);
    await drain.run(over.signal);
  };
  if (signal.aborted) stop();
  attempt(work(), over.signal, failed);
  await new Promise<void>((resolve) => {
    if (over.signal.aborted) resolve();
    else over.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  signal.removeEventListener("abort", stop);

  if (bug) link.abort("an error of our own");
  else if (signal.aborted) await sayGoodbye(link, live, context);
  const end = await link.closed;
  await ended;
  await live.notes.over();
  drain.close();
  await further?.catch(() => {});
  drain.left(link, end);
  if (bug) throw bug.error;
  return end;
}

/** Lets a part run on its own; that it stops with the connection is no failure. */
function attempt(part: Promise<unknown>, over: AbortSignal, failed: (error: unknown) => void): void {
  part.catch((error) => {
    if (!over.aborted) failed(error);
  });
}

async function listen(link: Link, { deps, subscriptions }: Context): Promise<void> {
  link.onMessage((message: Incoming) => {
    for (const { filter, onMessage } of subscriptions) {
      if (matches(filter, message.topic)) onMessage(message, link);
    }
  });
  for (const { filter, ...how } of subscriptions) {
    try {
      await link.subscribe([filter], how);
    } catch (error) {
      if (!isGatewayError(error, "BROKER_REFUSED")) throw error;
      deps.log.warn("a subscription was refused", { filter });
    }
  }
}

async function sayGoodbye(link: Link, live: LivePlane, { deps }: Context): Promise<void> {
  const said = new AbortController();
  const timeout = deps.clock.sleep(FAREWELL_MS, said.signal).catch(() => {});
  await Promise.race([live.offline(), timeout, link.closed]);
  said.abort();
  await link.end();
}
