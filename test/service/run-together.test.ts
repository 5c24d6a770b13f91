import { expect, test } from "vitest";
import { runTogether, type Task } from "../../src/service/run-together.ts";

const untilStopped: Task = (signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });

test("a task that fails stops the others, and its error comes out after the last one ended", async () => {
  let ended = false;
  const slow: Task = async (signal) => {
    await untilStopped(signal);
    await new Promise(setImmediate);
    ended = true;
  };
  const broken: Task = async () => {
    throw new Error("broken");
  };
  await expect(runTogether(new AbortController().signal, [slow, broken])).rejects.toThrow("broken");
  expect(ended).toBe(true);
});

test("the signal ends all of them quietly, also those that reject with its reason", async () => {
  const stop = new AbortController();
  const strict: Task = async (signal) => {
    await untilStopped(signal);
    throw signal.reason;
  };
  const running = runTogether(stop.signal, [untilStopped, strict]);
  stop.abort();
  await expect(running).resolves.toBeUndefined();
});
