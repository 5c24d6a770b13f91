import type { Clock, SyncState } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { type Anchor, type BootAnchors, DRIFT, SAME_CLOCK_MS } from "../core/timeline.ts";

/** What the timekeeper needs of the store. */
export interface BootBook {
  boots(): readonly BootAnchors[];
  saveBoot(boot: BootAnchors): void;
}

export interface ClockLook {
  readonly monoMs: number;
  readonly offsetMs: number;
  readonly sync: SyncState;
}

const POLL_MS = 10_000;
const ANCHOR_PERIOD_MS = 600_000;
/** Anchors hours apart cost nothing in precision, a longer list does on the card. */
const MAX_ANCHORS = 64;
/** A clock that claims to be synced and shows a time before this program was written is not. */
const FLOOR_WALL_MS = Date.parse("2026-01-01T00:00:00Z");

/**
 * Notes what the true time is while the clock is synced, so that every reading of this boot, earlier ones included, can
 * be dated when it is sent. Ends when the signal does.
 */
export async function keepTime(book: BootBook, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  let sync: SyncState | undefined;
  while (!signal.aborted) {
    const look = lookAt(clock);
    if (look.sync !== sync) log.info("the clock's state changed", { sync: look.sync });
    sync = look.sync;
    note(book, clock.bootId(), look, log);
    await clock.sleep(POLL_MS, signal).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }
}

function note(book: BootBook, id: string, look: ClockLook, log: Log): void {
  const known = book.boots().find(({ boot }) => boot === id) ?? { boot: id, anchors: [] };
  const next = withLook(known, look);
  if (next === known) return;
  const anchor = next.anchors.at(-1);
  const before = known.anchors.at(-1);
  if (anchor?.step && before)
    log.warn("the clock was stepped", { byMs: Math.round(anchor.offsetMs - before.offsetMs) });
  book.saveBoot(next);
}

/** A look at both clocks; the wall clock is read between two readings of the other, to halve what an interruption costs. */
function lookAt(clock: Clock): ClockLook {
  const beforeMs = clock.monoMs();
  const wallMs = clock.wallMs();
  const monoMs = (beforeMs + clock.monoMs()) / 2;
  return { monoMs, offsetMs: wallMs - monoMs, sync: clock.syncState() };
}

/**
 * What a look at the clocks adds: the first anchor, one each 10 minutes, and one whenever the clock was stepped; as long
 * as there is none, a sign of life each 10 minutes. The same object when it adds nothing.
 */
export function withLook(known: BootAnchors, look: ClockLook): BootAnchors {
  const { monoMs, offsetMs } = look;
  const isTrue = look.sync === "synced" && monoMs + offsetMs >= FLOOR_WALL_MS;
  const last = known.anchors.at(-1);
  if (!isTrue) return last ? known : withSeen(known, { monoMs, offsetMs });
  if (!last) return { boot: known.boot, anchors: [{ monoMs, offsetMs }] };

  const sinceMs = monoMs - last.monoMs;
  if (Math.abs(offsetMs - last.offsetMs) > SAME_CLOCK_MS + DRIFT * sinceMs) {
    return { ...known, anchors: thinned([...known.anchors, { monoMs, offsetMs, step: true }]) };
  }
  if (sinceMs < ANCHOR_PERIOD_MS) return known;
  return { ...known, anchors: thinned([...known.anchors, { monoMs, offsetMs }]) };
}

/** The offset stays as it was first seen until the clock is set: a reading that is sent again keeps its time to the millisecond. */
function withSeen(known: BootAnchors, look: Anchor): BootAnchors {
  const { seen } = known;
  if (!seen || Math.abs(look.offsetMs - seen.offsetMs) >= SAME_CLOCK_MS) return { ...known, seen: look };
  const isDue = look.monoMs - seen.monoMs >= ANCHOR_PERIOD_MS;
  return isDue ? { ...known, seen: { monoMs: look.monoMs, offsetMs: seen.offsetMs } } : known;
}

/** Drops every other anchor of the older half, never a step nor the one before it: from these on, times are told otherwise. */
function thinned(anchors: readonly Anchor[]): readonly Anchor[] {
  if (anchors.length <= MAX_ANCHORS) return anchors;
  const half = anchors.length / 2;
  const kept = anchors.filter(
    (anchor, index) => index === 0 || index % 2 === 0 || index >= half || anchor.step || anchors[index + 1]?.step,
  );
  // All of them steps: the clock is beyond help, and the newest matter most.
  return kept.slice(-MAX_ANCHORS);
}
