import type { Stamp } from "./reading.ts";

/** Time as an argument: the wall clock and the monotonic clock are different methods, and waiting is one too. */
export interface Clock {
  /** Milliseconds since the Unix epoch. Jumps when it is set. */
  wallMs(): number;
  /** Milliseconds since this machine booted, time suspended included. Nobody can set it. */
  monoMs(): number;
  /** The kernel's boot id: which life of the machine `monoMs` belongs to. */
  bootId(): string;
  /** Has a time source set the wall clock? `none` where this machine has no time source to wait for. */
  syncState(): SyncState;
  /** Resolves `ms` later or a little after, never before (a chip counts on it), or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export type SyncState = "synced" | "unsynced" | "none";

/** In whole milliseconds, as the disk keeps them: a reading that was there has the time that it had before. */
export function stampNow(clock: Clock): Stamp {
  return { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) };
}
