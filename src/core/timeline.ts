import type { Stamp } from "./reading.ts";

/** One life of the machine, with what was learnt of the true time in it (store and forward: Clock). */
export interface BootAnchors {
  readonly boot: string;
  readonly anchors: readonly Anchor[];
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
 * The wall time of a stamp: from the anchors of its boot, else from the guess of the running clock
 * (`fallbackOffsetMs`: wall minus monotonic now), which is `estimated`.
 */
export function resolveTime(boots: readonly BootAnchors[], stamp: Stamp, fallbackOffsetMs: number): ResolvedTime {
  const anchors = boots.find((candidate) => candidate.boot === stamp.boot)?.anchors ?? [];
  const [first] = anchors;
  if (!first) return { wallMs: stamp.monoMs + fallbackOffsetMs, clock: "estimated" };
  const before = anchors.findLast((anchor) => anchor.monoMs <= stamp.monoMs);
  return { wallMs: stamp.monoMs + (before ?? first).offsetMs, clock: "synced" };
}
