import type { Clock } from "../../src/core/clock.ts";
import { asStoreError } from "../../src/sqlite/errors.ts";
import type { WorkerHost } from "../../src/sqlite/worker-host.ts";
import { storeCalls } from "../../src/store/database/database-calls.ts";
import type { Loaded, StoreCalls } from "../../src/store/database/store-calls.ts";
import type { StartWorker } from "../../src/store/database/store-client.ts";
import type { Disk } from "./disk.ts";

/** How long the disk takes for a call, and how much of it before the call takes effect: a process may die in between. */
export interface Pace {
  beforeMs(): number;
  afterMs(): number;
}

/** The store's worker in the same thread, on a simulated disk and in simulated time. */
export function simulatedWorker(
  disk: Disk,
  clock: Clock,
  pace: Pace,
  mutated: (loaded: Loaded) => Loaded = (loaded) => loaded,
): StartWorker {
  return () => {
    const real = storeCalls(disk.mount());
    const calls: StoreCalls = { ...real, open: (wallMs) => mutated(real.open(wallMs)) };
    const sleep = async (ms: number) => {
      if (ms > 0) await clock.sleep(ms);
    };
    let tail: Promise<unknown> = Promise.resolve();
    const run = async (name: keyof StoreCalls, args: unknown[]): Promise<unknown> => {
      await sleep(pace.beforeMs());
      const call = calls[name] as (...args: unknown[]) => unknown;
      try {
        return await call(...args);
      } catch (error) {
        throw asStoreError(error);
      } finally {
        await sleep(pace.afterMs());
      }
    };
    const host: WorkerHost<StoreCalls> = {
      alive: true,
      call(name, ...args) {
        const answer = tail.then(() => run(name, args));
        tail = answer.catch(() => {});
        return answer as never;
      },
      async [Symbol.asyncDispose]() {
        await host.call("close");
      },
    };
    return host;
  };
}
