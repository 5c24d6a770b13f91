import type { SyncState } from "../../core/clock.ts";
import type { ResolvedTime } from "../../core/timeline.ts";

/**
 * Shall a reading wait for the clock? Only one of uncertain time, only where that may still change, and only so long as
 * we were connected for less than the limit: offline nothing is lost by waiting. It may change where a time source
 * exists that has not set the clock yet, and until this boot's first anchor is noted, seconds after that: it dates what is of
 * this boot, and is the latest that anything of an earlier one without the time can be.
 */
export function waitsForClock(
  time: Pick<ResolvedTime, "clock" | "latestMs">,
  syncState: SyncState,
  connectedMs: number,
  holdMs: number,
): boolean {
  if (time.clock === "synced" || connectedMs >= holdMs) return false;
  return syncState === "unsynced" || (syncState === "synced" && time.latestMs === undefined);
}
