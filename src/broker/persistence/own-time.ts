import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { TimeMark } from "./persistence-calls.ts";

/** Of the machine's clock, what the broker's timeline needs. */
export type MachineClock = Pick<Clock, "wallMs" | "monoMs" | "bootId" | "syncState">;

/**
 * The broker's own timeline, which expiry goes by: the time the machine was on since the database was made, and the time it
 * was off as far as synced clocks know it. Where it stands now, after a start.
 */
export function ownTime(last: TimeMark | undefined, clock: MachineClock): number {
  if (last === undefined) return 0;
  const monoMs = clock.monoMs();
  if (last.boot === clock.bootId()) return last.ownMs + Math.max(0, monoMs - last.monoMs);
  // How long it stayed on after the mark, nobody knows; that it is on since the boot, the kernel does.
  return Math.max(last.ownMs + monoMs, byWallClock(last, clock) ?? 0);
}

/** Undefined where either end of the time between is not known. */
export function byWallClock(last: TimeMark, clock: MachineClock): number | undefined {
  if (last.wallMs === null || clock.syncState() !== "synced") return undefined;
  return last.ownMs + Math.max(0, clock.wallMs() - last.wallMs);
}

export function timeMark(ownMs: number, clock: MachineClock): TimeMark {
  const wallMs = clock.syncState() === "synced" ? clock.wallMs() : null;
  return { ownMs, boot: clock.bootId(), monoMs: clock.monoMs(), wallMs };
}

/** Where nobody says otherwise: only the time counts that the process runs. */
const processBoot = randomUUID();

export const processClock: MachineClock = {
  wallMs: () => Date.now(),
  monoMs: () => performance.now(),
  bootId: () => processBoot,
  syncState: () => "none",
};
