import type { SyncState } from "../core/clock.ts";
import type { ResolvedTime } from "../core/timeline.ts";

/**
 * Shall a reading wait for the clock? Only one of uncertain time, only where a time source exists that may still set
 * the clock, and only so long as we were connected for less than the limit: offline nothing is lost by waiting.
 */
export function waitsForClock(
  time: Pick<ResolvedTime, "clock">,
  syncState: SyncState,
  connectedMs: number,
  holdMs: number,
): boolean {
  return time.clock === "estimated" && syncState === "unsynced" && connectedMs < holdMs;
}
