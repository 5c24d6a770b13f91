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
  /** The clock was stepped since the anchor before: do not interpolate across. */
  readonly step?: true;
}

export interface ResolvedTime {
  /** Milliseconds since the Unix epoch. */
  readonly wallMs: number;
  /** `synced` when an anchor of that boot says so. */
  readonly clock: "synced" | "estimated";
}

/**
 * The wall time of a stamp: from the anchors of its boot, else an estimate between what is known of the boots before and
 * after it (`boots`: oldest first). `fallbackOffsetMs` is what the running clock shows: wall minus monotonic now.
 */
export function resolveTime(boots: readonly BootAnchors[], stamp: Stamp, fallbackOffsetMs: number): ResolvedTime {
  const index = boots.findIndex((candidate) => candidate.boot === stamp.boot);
  const offsetMs = anchoredOffsetMs(boots[index]?.anchors ?? [], stamp.monoMs);
  if (offsetMs !== undefined) return { wallMs: stamp.monoMs + offsetMs, clock: "synced" };
  const estimateMs = estimatedOffsetMs(boots, index < 0 ? boots.length : index, stamp.monoMs, fallbackOffsetMs);
  return { wallMs: stamp.monoMs + estimateMs, clock: "estimated" };
}

/** Between two anchors on the line through both; before the first, after the last and up to a step as the nearest says. */
function anchoredOffsetMs(anchors: readonly Anchor[], monoMs: number): number | undefined {
  const next = anchors.findIndex((anchor) => anchor.monoMs > monoMs);
  const after = anchors[next];
  const before = next < 0 ? anchors.at(-1) : anchors[next - 1];
  if (!before || !after || after.step) return (before ?? after)?.offsetMs;
  const share = (monoMs - before.monoMs) / (after.monoMs - before.monoMs);
  return before.offsetMs + share * (after.offsetMs - before.offsetMs);
}

/** What the clock of that life showed, kept between the end of the last life before and the start of the next after it. */
function estimatedOffsetMs(
  boots: readonly BootAnchors[],
  index: number,
  monoMs: number,
  fallbackOffsetMs: number,
): number {
  const seen = boots[index]?.seen;
  const isRunning = index >= boots.length - 1;
  const earliestMs = endBefore(boots, index);
  const latestMs = startAfter(boots, index) - Math.max(monoMs, seen?.monoMs ?? 0);
  const atOnceMs = Number.isFinite(earliestMs) ? earliestMs : fallbackOffsetMs;
  const shownMs = isRunning ? steadyOffsetMs(seen, fallbackOffsetMs) : (seen?.offsetMs ?? atOnceMs);
  return Math.max(earliestMs, Math.min(shownMs, latestMs));
}

/** Two looks at the clocks differ by a millisecond or so; a reading that is sent again keeps the time that it had. */
const SAME_CLOCK_MS = 250;

/** What the running clock showed when it was noted, unless it was set since. */
function steadyOffsetMs(seen: Anchor | undefined, shownMs: number): number {
  return seen && Math.abs(seen.offsetMs - shownMs) < SAME_CLOCK_MS ? seen.offsetMs : shownMs;
}

/** The last time that is certain of the lives before, and how long those without an anchor lasted since. */
function endBefore(boots: readonly BootAnchors[], index: number): number {
  let sinceMs = 0;
  for (let i = index - 1; i >= 0; i--) {
    const last = boots[i]?.anchors.at(-1);
    if (last) return last.monoMs + last.offsetMs + sinceMs;
    sinceMs += boots[i]?.seen?.monoMs ?? 0;
  }
  return Number.NEGATIVE_INFINITY;
}

/** When the next life with an anchor began, less what those in between lasted. */
function startAfter(boots: readonly BootAnchors[], index: number): number {
  let untilMs = 0;
  for (let i = index + 1; i < boots.length; i++) {
    const first = boots[i]?.anchors[0];
    if (first) return first.offsetMs - untilMs;
    untilMs += boots[i]?.seen?.monoMs ?? 0;
  }
  return Number.POSITIVE_INFINITY;
}
