import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { GatewayError } from "../core/errors.ts";
import { uncarryError } from "./errors.ts";
import { type Calls, CLOSE, type Reply, type Request } from "./messages.ts";

/** A worker thread that answers calls in the order they came. */
export interface WorkerHost<C extends Calls<C>> extends AsyncDisposable {
  /** Rejects with what the call threw, its code included; with STORE_IO once the worker has ended. */
  call<K extends keyof C & string>(name: K, ...args: Parameters<C[K]>): Promise<Awaited<ReturnType<C[K]>>>;
  /** False once the thread has ended, asked or not. */
  readonly alive: boolean;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: unknown): void;
}

export function startWorker<C extends Calls<C>>(file: URL, workerData: unknown): WorkerHost<C> {
  const worker = new Worker(file, { workerData, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let death: GatewayError | undefined;

  worker.on("message", (reply: Reply) => {
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("error" in reply) waiter?.reject(uncarryError(reply.error));
    else waiter?.resolve(reply.value as never);
  });
  // An error is always followed by the exit (worker_threads, Event: 'error').
  worker.on("error", (cause) => {
    death = new GatewayError("STORE_IO", `the database worker crashed: ${cause}`, { cause });
  });
  const exited = new Promise<void>((resolve) => {
    worker.on("exit", (code) => {
      death ??= new GatewayError("STORE_IO", `the database worker has ended (exit code ${code})`);
      for (const waiter of waiting.values()) waiter.reject(death);
      waiting.clear();
      resolve();
    });
  });

  const ask = (name: string, args: unknown[]): Promise<never> =>
    new Promise((resolve, reject) => {
      if (death) return reject(death);
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      worker.postMessage({ id: lastId, name, args } satisfies Request);
    });

  return {
    call: (name, ...args) => ask(name, args),
    get alive() {
      return death === undefined;
    },
    async [Symbol.asyncDispose]() {
      try {
        if (!death) await ask(CLOSE, []);
      } finally {
        await exited;
      }
    },
  };
}

/**
 * Where the compiled worker beside `module` is: there, once built; in `dist`, when tests run the sources, because Node
 * 20 does not load TypeScript in a thread.
 */
export function workerFile(module: string, name: string): URL {
  const built = new URL(`./${name}.js`, module);
  const path = fileURLToPath(built);
  const inSources = module.endsWith(".ts");
  return inSources ? pathToFileURL(path.replace(/^(.*)\/src\//, "$1/dist/")) : built;
}
