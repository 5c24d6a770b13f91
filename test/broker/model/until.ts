import { setTimeout as sleep } from "node:timers/promises";

/** Rejects with what one of the lives does, or when it takes too long. */
export async function until(
  isThere: () => boolean,
  withinMs: number,
  lives: readonly Promise<unknown>[] = [],
): Promise<void> {
  const failed = new Promise<never>((_, reject) => {
    for (const life of lives) life.catch(reject);
  });
  const endMs = performance.now() + withinMs;
  while (!isThere()) {
    if (performance.now() > endMs) throw new Error(`it did not come within ${withinMs / 1000} s`);
    await Promise.race([sleep(2), failed]);
  }
}
