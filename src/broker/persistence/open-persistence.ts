import type { Log } from "../../core/log.ts";
import { startWorker, type WorkerHost, workerFile } from "../../sqlite/worker-host.ts";
import type { MachineClock } from "./own-time.ts";
import type { Loaded, PersistenceCalls, WorkerOptions } from "./persistence-calls.ts";

/** `changes` of what was loaded are all that is there, or nothing. */
export async function openWorker(
  options: WorkerOptions,
  { clock, log }: { readonly clock: MachineClock; readonly log: Log },
  what: "all" | "nothing",
): Promise<{ worker: WorkerHost<PersistenceCalls>; loaded: Loaded }> {
  const worker = startWorker<PersistenceCalls>(workerFile(import.meta.url, "persistence-worker"), options);
  try {
    const loaded = await worker.call("open", clock.wallMs(), what);
    if (loaded.quarantined !== undefined)
      log.error("the broker's database was damaged and moved aside", { path: loaded.quarantined });
    return { worker, loaded };
  } catch (error) {
    await worker[Symbol.asyncDispose]();
    throw error;
  }
}
