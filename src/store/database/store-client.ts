import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import { startWorker, type WorkerHost, workerFile } from "../../sqlite/worker-host.ts";
import type { Loaded, StoreCalls, StoreWorkerData } from "./store-calls.ts";

/** Starts what does the store's calls on the database in this directory; in a thread of its own, unless a test says otherwise. */
export type StartWorker = (data: StoreWorkerData) => WorkerHost<StoreCalls>;

const inThread: StartWorker = (data) => startWorker(workerFile(import.meta.url, "store-worker"), data);

/** The store's worker thread, started anew should it ever crash. */
export class StoreClient {
  readonly #data: StoreWorkerData;
  readonly #clock: Clock;
  readonly #start: StartWorker;
  #host: WorkerHost<StoreCalls> | undefined;
  #reopening: Promise<void> | undefined;

  constructor(data: StoreWorkerData, clock: Clock, start: StartWorker = inThread) {
    this.#data = data;
    this.#clock = clock;
    this.#start = start;
  }

  open(): Promise<Loaded> {
    this.#host = this.#start(this.#data);
    return this.#host.call("open", this.#clock.wallMs());
  }

  async call<K extends keyof StoreCalls & string>(
    name: K,
    ...args: Parameters<StoreCalls[K]>
  ): Promise<Awaited<ReturnType<StoreCalls[K]>>> {
    if (!this.#host?.alive) {
      this.#reopening ??= this.#reopen();
      await this.#reopening;
    }
    if (!this.#host) throw new Error("the store's worker was not started");
    return this.#host.call(name, ...args);
  }

  async close(): Promise<void> {
    await this.#host?.[Symbol.asyncDispose]();
  }

  async #reopen(): Promise<void> {
    try {
      const { quarantined } = await this.open();
      if (quarantined)
        throw new GatewayError("STORE_CORRUPT", `the database was damaged and moved to ${quarantined.aside}`);
    } finally {
      this.#reopening = undefined;
    }
  }
}
