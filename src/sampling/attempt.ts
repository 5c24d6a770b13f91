import type { Clock } from "../core/clock.ts";
import { GatewayError, isRetryable } from "../core/errors.ts";
import type { Random } from "../core/random.ts";
import type { Sample } from "../core/reading.ts";

const MAX_TRIES = 3;
/** Made once: the one that `abort()` would make at each read costs more than the read of a simulated chip. */
const OVER = new Error("the attempt is over");

export interface AttemptDeps {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * One slot of one device: reads, and again if the fault may pass, with jitter, but never past the deadline.
 * Rejects with the last fault, with DEADLINE, or with the signal's reason.
 */
export async function readWithin(
  read: (signal: AbortSignal) => Promise<Sample>,
  deadlineMs: number,
  { clock, random }: AttemptDeps,
  signal: AbortSignal,
): Promise<Sample> {
  const endMs = clock.monoMs() + deadlineMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await withDeadline(read, endMs - clock.monoMs(), clock, signal);
    } catch (error) {
      signal.throwIfAborted();
      const pauseMs = 20 * 2 ** attempt * (0.5 + random());
      if (attempt === MAX_TRIES || !isRetryable(error) || clock.monoMs() + pauseMs >= endMs) throw error;
      await clock.sleep(pauseMs, signal);
    }
  }
}

/** Gives `work` up after `ms`: its signal is aborted, and what it still does is nobody's business any more. */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const inner = new AbortController();
  const giveUp = () => inner.abort(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  const timer = new AbortController();
  try {
    const expiry = clock.sleep(ms, timer.signal).then(() => {
      throw new GatewayError("DEADLINE", `no answer within ${Math.round(ms)} ms`);
    });
    const stopped = new Promise<never>((_, reject) => {
      inner.signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return await Promise.race([work(inner.signal), expiry, stopped]);
  } finally {
    signal.removeEventListener("abort", giveUp);
    timer.abort(OVER);
    inner.abort(OVER);
  }
}
