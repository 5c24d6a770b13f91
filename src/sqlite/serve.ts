import { parentPort } from "node:worker_threads";
import { carryError } from "./errors.ts";
import { type Calls, CLOSE, type Reply, type Request } from "./messages.ts";

/** The worker's side: answers each request of the host, several at a time where a call awaits. */
export function serve<C extends Calls<C> & { close(): void }>(calls: C): void {
  const port = parentPort;
  if (!port) throw new Error("this file runs in a worker thread");
  port.on("message", async (request: Request) => {
    port.postMessage(await answer(calls, request));
    if (request.name === CLOSE) port.close();
  });
}

async function answer(calls: object, { id, name, args }: Request): Promise<Reply> {
  try {
    const call: unknown = Reflect.get(calls, name);
    if (typeof call !== "function") throw new Error(`the worker has no call ${name}`);
    return { id, value: await call(...args) };
  } catch (error) {
    return { id, error: carryError(error) };
  }
}
