import type { Random } from "../core/random.ts";
import type { Timing } from "../drivers/driver.ts";

/**
 * The next moment of a fixed-rate schedule strictly after `nowMs`. Slots that passed while a read was slow are skipped,
 * never made up for, so nothing drifts and nothing piles up.
 */
export function nextDueMs(originMs: number, periodMs: number, nowMs: number): number {
  const slots = Math.floor((nowMs - originMs) / periodMs) + 1;
  return originMs + Math.max(0, slots) * periodMs;
}

/** A device that failed is tried again at least this often, so that a replugged one heals within a minute. */
export const RETRY_PERIOD_MS = 10_000;

const SHORTEST_DEADLINE_MS = 2_000;

/** How long a read may take, its repetitions included. */
export function readDeadlineMs({ expectedMs, deadlineMs }: Pick<Timing, "expectedMs" | "deadlineMs">): number {
  return deadlineMs ?? Math.max(4 * expectedMs, SHORTEST_DEADLINE_MS);
}

/** Pause before opening a device again: 1 s, doubling to 20 s, with jitter so that twenty chips do not knock together. */
export function reopenDelayMs(attempt: number, random: Random): number {
  const ceiling = Math.min(20_000, 1_000 * 2 ** Math.min(attempt, 10));
  return ceiling * (0.5 + random() / 2);
}
