import { performance } from "node:perf_hooks";

/** Time as an argument: a clock that never jumps, and a call after a while. */
export interface Timers {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls `run` once after `ms`; the returned function calls it off. */
  after(ms: number, run: () => void): () => void;
}

/** setTimeout takes at most 2^31 - 1 ms and fires at once for more. */
const longestMs = 2_147_483_647;

export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number) => {
      timer = setTimeout(() => (restMs > longestMs ? wait(restMs - longestMs) : run()), Math.min(restMs, longestMs));
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};
