import { describe, expect, test } from "vitest";
import { limiter, serialQueue } from "../../src/hardware/queue.ts";

/** A work that ends when it is told to. */
function manual() {
  let end = () => {};
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => promise, end };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a serial queue", () => {
  test("runs one work at a time, in the order of the calls", async () => {
    const queue = serialQueue("bus", 10);
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await turn();
      log.push(`${name} ends`);
    };
    await Promise.all([queue.run(work("a")), queue.run(work("b"))]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  test("goes on after a work that failed, which alone hears of it", async () => {
    const queue = serialQueue("bus", 10);
    const failing = queue.run(() => Promise.reject(new Error("no")));
    const next = queue.run(async () => 7);
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe(7);
  });

  test("refuses at once who comes beyond its limit, and takes others when there is room again", async () => {
    const queue = serialQueue("bus", 2);
    const first = manual();
    const running = queue.run(first.work);
    const waiting = queue.run(async () => undefined);
    await expect(queue.run(async () => undefined)).rejects.toMatchObject({ code: "BUS_TIMEOUT" });
    first.end();
    await Promise.all([running, waiting]);
    expect(await queue.run(async () => "again")).toBe("again");
  });

  test("at its disposal ends what runs, and cancels what waits and what comes", async () => {
    const queue = serialQueue("bus", 10);
    const first = manual();
    const running = queue.run(first.work);
    const waiting = queue.run(async () => undefined).catch((error: unknown) => error);
    await turn();
    let disposed = false;
    const disposal = queue[Symbol.asyncDispose]().then(() => {
      disposed = true;
    });
    await turn();
    expect(disposed).toBe(false);
    await expect(queue.run(async () => undefined)).rejects.toMatchObject({ code: "CANCELLED" });
    first.end();
    await Promise.all([running, disposal]);
    expect(await waiting).toMatchObject({ code: "CANCELLED" });
  });
});

test("a limiter runs so many works at a time, the others in the order of the calls, also behind one that failed", async () => {
  const limited = limiter(2);
  const works = [manual(), manual(), manual(), manual()];
  const begun: number[] = [];
  const results = works.map(({ work }, index) =>
    limited(async () => {
      begun.push(index);
      await work();
      if (index === 0) throw new Error("failed");
    }),
  );
  const failed = expect(results[0]).rejects.toThrow("failed");
  await turn();
  expect(begun).toEqual([0, 1]);
  works[0]?.end();
  await failed;
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  for (const { end } of works) end();
  await Promise.all(results.slice(1));
  expect(begun).toEqual([0, 1, 2, 3]);
});
