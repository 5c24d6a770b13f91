import { expect, test } from "vitest";
import { versionIn, watchForUpdates } from "../../src/service/update-check.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

const DAY_MS = 86_400_000;

test.each([
  ['{"version": "1.2.3"}', "1.2.3"],
  ['{"tag_name": "v2.0.0-rc.1", "assets": []}', "2.0.0-rc.1"],
  ["v1.10\n", "1.10"],
])("%s names the version %s", (text, version) => {
  expect(versionIn(text)).toBe(version);
});

test.each(["", "<html>", "{}", '{"version": 3}', "latest", "1".repeat(500)])("%s names none", (text) => {
  expect(() => versionIn(text)).toThrow("names no version");
});

test("it asks within ten minutes of the start, then once a day, and goes on after a failure that it tells once", async () => {
  const clock = new FakeClock();
  const stopper = new AbortController();
  const taken: string[] = [];
  const answers = ["1.0.0", new Error("no network"), new Error("no network"), "1.1.0"];
  let asked = 0;
  const get = async () => {
    const answer = answers[asked++] ?? "1.1.0";
    if (answer instanceof Error) throw answer;
    return new Response(answer);
  };
  const log = fakeLog();
  const running = watchForUpdates(
    { url: "https://example.org/version", clock, random: () => 0.5, log, take: (version) => taken.push(version), get },
    stopper.signal,
  );
  await clock.advance(299_999);
  expect(asked).toBe(0);
  await clock.advance(1);
  await expect.poll(() => taken).toEqual(["1.0.0"]);
  for (const count of [2, 3, 4]) {
    await clock.advance(DAY_MS);
    await expect.poll(() => asked).toBe(count);
  }
  await expect.poll(() => taken).toEqual(["1.0.0", "1.1.0"]);
  stopper.abort();
  await running;
});

test("an answer without end is given up", async () => {
  const clock = new FakeClock();
  const stopper = new AbortController();
  const log = fakeLog();
  const endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) });
  const taken: string[] = [];
  const running = watchForUpdates(
    {
      url: "https://example.org/",
      clock,
      random: () => 0,
      log,
      take: (version) => taken.push(version),
      get: async () => new Response(endless()),
    },
    stopper.signal,
  );
  await clock.advance(0);
  await expect.poll(() => JSON.stringify(log.lines)).toContain("more than");
  expect(taken).toEqual([]);
  stopper.abort();
  await running;
});
