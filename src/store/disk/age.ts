import type { Stamp } from "../../core/reading.ts";
import type { BootAnchors } from "../../core/timeline.ts";

/**
 * Boots of which every record is certainly older than `maxAgeMs`. Never by a wall clock that may have jumped: either this
 * boot alone has lasted that long, or anchors say when a boot began that came after it.
 */
export function expiredBoots(boots: readonly BootAnchors[], now: Stamp, maxAgeMs: number): string[] {
  const earlier = boots.filter(({ boot }) => boot !== now.boot);
  if (now.monoMs >= maxAgeMs) return earlier.map(({ boot }) => boot);
  const offsetMs = boots.find(({ boot }) => boot === now.boot)?.anchors.at(-1)?.offsetMs;
  if (offsetMs === undefined) return [];
  const cutWallMs = now.monoMs + offsetMs - maxAgeMs;
  return earlier
    .filter((_, index) => (endOf(boots, index) ?? Number.POSITIVE_INFINITY) < cutWallMs)
    .map(({ boot }) => boot);
}

/** A boot was over when the next one began that knows when it began. */
function endOf(boots: readonly BootAnchors[], index: number): number | undefined {
  return boots.slice(index + 1).find(({ anchors }) => anchors.length > 0)?.anchors[0]?.offsetMs;
}
