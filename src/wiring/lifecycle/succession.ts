import { isGatewayError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";

/**
 * Runs with one configuration after the other: `run` resolves with the one to go on with, if any, and says when it is up.
 * One that passed every check and yet cannot start (its port is taken, its store is another's) gives way to the one that
 * ran before: a reload must not end a service. Rejects with what `run` rejects with where there is nothing to go back to.
 */
export async function runInSuccession<C>(
  first: C,
  run: (config: C, up: () => void) => Promise<C | undefined>,
  log: Pick<Log, "error">,
): Promise<void> {
  let ranBefore: C | undefined;
  for (let config: C | undefined = first; config !== undefined; ) {
    const current: C = config;
    let isUp = false;
    try {
      config = await run(current, () => {
        isUp = true;
      });
      ranBefore = current;
    } catch (error) {
      if (isUp || ranBefore === undefined || !isGatewayError(error)) throw error;
      log.error("the new configuration cannot start: going on with the old one", { reason: error.message });
      config = ranBefore;
      ranBefore = undefined;
    }
  }
}
