import { expect, test } from "vitest";
import type { RetainedMessage } from "../../src/core/topics.ts";
import { Discovery } from "../../src/uplink/live/discovery.ts";
import type { RetainedReader } from "../../src/uplink/live/retained.ts";
import type { Context } from "../../src/uplink/state.ts";
import { FakeClock } from "../fakes/clock.ts";

function bench(messages: readonly RetainedMessage[]) {
  const clock = new FakeClock();
  const startMs = clock.monoMs();
  const said: [string, number][] = [];
  const context = { deps: { clock, discovery: () => messages } } as unknown as Context;
  const put = async ({ topic, payload }: RetainedMessage) =>
    void said.push([`${topic} ${payload}`, clock.monoMs() - startMs]);
  const discovery = new Discovery({} as RetainedReader, context, put);
  return { clock, said, discovery, signal: new AbortController().signal };
}

test("devices follow each other closely, the same device only once Home Assistant has taken it in", async () => {
  const { clock, said, discovery, signal } = bench([
    { topic: "a", payload: "1", device: "a" },
    { topic: "b", payload: "1", device: "b" },
  ]);
  const both = [discovery.announce("all", signal), discovery.announce({ device: "b" }, signal)];
  await clock.advance(5000);
  await Promise.all(both);
  expect(said).toEqual([
    ["a 1", 0],
    ["b 1", 20],
    ["b 1", 1020],
  ]);
});

test("what removes a component is said in full a second before it, and the message without it a second after", async () => {
  const { clock, said, discovery, signal } = bench([{ topic: "a", payload: "3", device: "a", before: ["1", "2"] }]);
  const announced = discovery.announce("all", signal);
  await clock.advance(5000);
  await announced;
  expect(said).toEqual([
    ["a 1", 0],
    ["a 2", 1000],
    ["a 3", 2000],
  ]);
});
