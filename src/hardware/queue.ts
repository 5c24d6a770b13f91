import { GatewayError } from "../core/errors.ts";

/** Runs works one at a time, first come first served. */
export interface SerialQueue extends AsyncDisposable {
  /**
   * Resolves to what `work` does. Rejects with BUS_TIMEOUT at once where the queue is full, with CANCELLED where it was
   * disposed of before the work's turn came.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Lets at most `limit` works run at a time; the others wait, first come first served. */
export function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/**
 * The line in front of one bus. `limit` counts the work that runs and those that wait; who comes then is refused, so
 * that a stuck bus (1 s a transfer) does not gather an hour of old questions. Disposal waits for the one that runs.
 */
export function serialQueue(name: string, limit: number): SerialQueue {
  let pending = 0;
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();

  const turn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) throw new GatewayError("CANCELLED", `${name} is closed`);
    return await work();
  };

  return {
    async run(work) {
      if (closed) throw new GatewayError("CANCELLED", `${name} is closed`);
      if (pending >= limit) throw new GatewayError("BUS_TIMEOUT", `${pending} calls already wait for ${name}`);
      pending++;
      const mine = tail.then(() => turn(work)).finally(() => pending--);
      tail = mine.catch(() => undefined);
      return await mine;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await tail;
    },
  };
}
