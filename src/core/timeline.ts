import type { Stamp } from "./reading.ts";

/** One life of the machine, with what was learnt of the true time in it (store and forward: Clock). */
export interface BootAnchors {
  readonly boot: string;
  readonly anchors: readonly Anchor[];
  /** Of a life without an anchor: how long it was seen alive, and what its clock showed then, right or wrong. */
  readonly seen?: Anchor;
}

/** While the clock was synced: wall time minus monotonic time, in milliseconds. */
export interface Anchor {
  readonly monoMs: number;
  readonly offsetMs: number;
  /** The clock was stepped since the anchor before. */
  readonly step?: true;
}

export interface ResolvedTime {
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  /** `synced` when an anchor of that boot says so. */
  readonly clock: "synced" | "estimated";
  /** Of an estimate: the true time is certainly not before this, as far as earlier boots tell. */
  readonly earliestMs?: number;
  /** Of an estimate: the true time is certainly not after this, as far as later boots tell. */
  readonly latestMs?: number;
}

/** A quartz drifts by up to some 50 ppm. */
export const DRIFT = 60e-6;
/** How far off a clock may be that counts as synced: NTP over a bad link. */
const SYNCED_WITHIN_MS = 100;

/**
 * The wall time of a stamp: from the anchors of its boot, else an estimate between what is known of the boots before and
 * after it (`boots`: oldest first). `fallbackOffsetMs` is what the running clock shows: wall minus monotonic now.
 */
export function resolveTime(boots: readonly BootAnchors[], stamp: Stamp, fallbackOffsetMs: number): ResolvedTime {
  const known = anchoredTime(boots, stamp);
  if (known) return known;

  const found = boots.findIndex((candidate) => candidate.boot === stamp.boot);
  const index = found < 0 ? boots.length : found;
  const earliest = endBefore(boots, index);
  const latest = startAfter(boots, index);
  const leftMs = Math.max(0, (boots[index]?.seen?.monoMs ?? 0) - stamp.monoMs);
  const shownMs = shownOffsetMs(boots, index, earliest.wallMs, fallbackOffsetMs);
  const notAfterMs = latest.wallMs - leftMs - stamp.monoMs;
  return {
    wallMs: stamp.monoMs + Math.max(earliest.wallMs, Math.min(shownMs, notAfterMs)),
    clock: "estimated",
    ...bounds(earliest, stamp.monoMs, latest, leftMs),
  };
}

/** The wall time of a stamp of a boot that has an anchor: no clock needs to be asked for it. */
export function anchoredTime(boots: readonly BootAnchors[], { boot, monoMs }: Stamp): ResolvedTime | undefined {
  const anchors = boots.findLast((candidate) => candidate.boot === boot)?.anchors ?? [];
  const offsetMs = anchoredOffsetMs(anchors, monoMs);
  return offsetMs === undefined ? undefined : { wallMs: monoMs + offsetMs, clock: "synced" };
}

/**
 * As the last anchor before it says, else the first. Not on a line to the next one: a reading whose acknowledgement was
 * lost is sent again with the very time that it had, whatever was learnt since. Nothing is lost by it, for the kernel
 * steers CLOCK_MONOTONIC along with the wall clock, so that their difference changes at steps only.
 */
function anchoredOffsetMs(anchors: readonly Anchor[], monoMs: number): number | undefined {
  return (anchors.findLast((anchor) => anchor.monoMs <= monoMs) ?? anchors[0])?.offsetMs;
}

/** What the clock of that life showed. */
function shownOffsetMs(
  boots: readonly BootAnchors[],
  index: number,
  earliestMs: number,
  fallbackOffsetMs: number,
): number {
  const seen = boots[index]?.seen;
  if (index >= boots.length - 1) return steadyOffsetMs(seen, fallbackOffsetMs);
  return seen?.offsetMs ?? (Number.isFinite(earliestMs) ? earliestMs : fallbackOffsetMs);
}

/** Two looks at the clocks differ by a millisecond or so; what differs more was set in between, if it did not drift. */
export const SAME_CLOCK_MS = 250;

/** What the running clock showed when it was noted, unless it was set since. */
function steadyOffsetMs(seen: Anchor | undefined, shownMs: number): number {
  return seen && Math.abs(seen.offsetMs - shownMs) < SAME_CLOCK_MS ? seen.offsetMs : shownMs;
}

/** A moment that other boots tell, and for how long a quartz alone was trusted for it. */
interface Limit {
  readonly wallMs: number;
  readonly unsteeredMs: number;
}

/** The last time that is certain of the lives before, and how long those without an anchor lasted since. */
function endBefore(boots: readonly BootAnchors[], index: number): Limit {
  let sinceMs = 0;
  for (let i = index - 1; i >= 0; i--) {
    const last = boots[i]?.anchors.at(-1);
    if (last) return { wallMs: last.monoMs + last.offsetMs + sinceMs, unsteeredMs: sinceMs };
    sinceMs += boots[i]?.seen?.monoMs ?? 0;
  }
  return { wallMs: Number.NEGATIVE_INFINITY, unsteeredMs: 0 };
}

/** When the next life with an anchor began, less what those in between lasted. */
function startAfter(boots: readonly BootAnchors[], index: number): Limit {
  let untilMs = 0;
  for (let i = index + 1; i < boots.length; i++) {
    const first = boots[i]?.anchors[0];
    if (first) return { wallMs: first.offsetMs - untilMs, unsteeredMs: first.monoMs + untilMs };
    untilMs += boots[i]?.seen?.monoMs ?? 0;
  }
  return { wallMs: Number.POSITIVE_INFINITY, unsteeredMs: 0 };
}

/** `sinceBootMs` before the reading its boot began, and `leftMs` after it the boot was still seen alive. */
function bounds(earliest: Limit, sinceBootMs: number, latest: Limit, leftMs: number) {
  const earliestMs = earliest.wallMs + sinceBootMs - errorMs(earliest.unsteeredMs + sinceBootMs);
  const latestMs = latest.wallMs - leftMs + errorMs(latest.unsteeredMs + leftMs);
  return {
    ...(Number.isFinite(earliestMs) && { earliestMs }),
    ...(Number.isFinite(latestMs) && { latestMs }),
  };
}

function errorMs(unsteeredMs: number): number {
  return SYNCED_WITHIN_MS + DRIFT * unsteeredMs;
}
