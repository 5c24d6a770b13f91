import type { Clock } from "../core/clock.ts";

/** A chip that must be asked at a fixed rate, whatever the interval at which its device is read. */
export interface OwnRhythm<T> {
  /** What the next measurement gives, or rejects with. Rejects with the signal's reason. */
  next(signal: AbortSignal): Promise<T>;
  close(): Promise<void>;
}

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * Measures every `periodMs` until it is closed; late ones are not made up for. A fault is told to who waits then. The
 * measurement under way at the end is not given up: the chip would be busy for who comes next.
 */
export function ownRhythm<T>(
  periodMs: number,
  clock: Pick<Clock, "monoMs" | "sleep">,
  measure: () => Promise<T>,
): OwnRhythm<T> {
  const stop = new AbortController();
  let waiting: Waiter<T>[] = [];

  const settle = (tell: (waiter: Waiter<T>) => void) => {
    const told = waiting;
    waiting = [];
    for (const waiter of told) tell(waiter);
  };
  const run = async () => {
    for (let dueMs = clock.monoMs(); !stop.signal.aborted; ) {
      try {
        const value = await measure();
        settle((waiter) => waiter.resolve(value));
      } catch (error) {
        settle((waiter) => waiter.reject(error));
      }
      dueMs = Math.max(dueMs + periodMs, clock.monoMs());
      await clock.sleep(dueMs - clock.monoMs(), stop.signal).catch(() => undefined);
    }
  };
  const running = run();

  return {
    next: (signal) =>
      new Promise<T>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const giveUp = () => reject(signal.reason);
        signal.addEventListener("abort", giveUp, { once: true });
        const done = () => signal.removeEventListener("abort", giveUp);
        waiting.push({
          resolve(value) {
            done();
            resolve(value);
          },
          reject(error) {
            done();
            reject(error);
          },
        });
      }),
    async close() {
      stop.abort(new Error("closed"));
      await running;
      settle((waiter) => waiter.reject(stop.signal.reason));
    },
  };
}
