import { describe, expect, test } from "vitest";
import { ReplayAsker } from "../../src/sink/replay-asker.ts";
import { answerOf, gapOf, readingOf } from "../../src/sink/wire.ts";
import { FakeClock } from "../fakes/clock.ts";

const hole = { gateway: "gw1", epoch: 4, seq: 2, hole: { from: 3, to: 9 } };
const answer = (fields: object) => answerOf(Buffer.from(JSON.stringify(fields))) ?? { ok: false, missing: [] };

describe("what is missing", () => {
  test("is asked for when it is not just late, and ever less often while nobody answers", async () => {
    const clock = new FakeClock();
    const asker = new ReplayAsker(clock);
    const askedAtS: number[] = [];
    for (let second = 0; second < 80; second++) {
      if (asker.due([hole]).length > 0) askedAtS.push(second);
      await clock.advance(1000);
    }
    expect(askedAtS).toEqual([3, 13, 33, 73]);
  });

  test("is given up only by the answer to what was asked", async () => {
    const clock = new FakeClock();
    const asker = new ReplayAsker(clock);
    const gone = answer({ ok: true, epoch: 4, from: 3, to: 9, last: 20, sent: 5, missing: [[3, 4]] });
    expect(asker.learn("gw1", gone, hole)).toEqual({ gaps: [], ends: [] });
    asker.due([hole]);
    await clock.advance(3000);
    expect(asker.due([hole])).toEqual([{ gateway: "gw1", request: { epoch: 4, from: 3, to: 9 } }]);
    expect(asker.learn("gw2", gone, hole)).toEqual({ gaps: [], ends: [] });
    expect(asker.learn("gw1", answer({ ok: true, epoch: 5, from: 3, missing: [[3, 4]] }), hole).gaps).toEqual([]);
    expect(asker.learn("gw1", gone, hole)).toEqual({
      gaps: [{ gateway: "gw1", epoch: 4, from: 3, to: 4, reason: "not_held" }],
      ends: [],
    });
  });

  test("of an epoch that the gateway has forgotten will not come", async () => {
    const clock = new FakeClock();
    const asker = new ReplayAsker(clock);
    const tail = { gateway: "gw1", epoch: 4, seq: 2, hole: { from: 3 } };
    asker.due([tail]);
    await clock.advance(3000);
    expect(asker.due([tail])).toEqual([{ gateway: "gw1", request: { epoch: 4, from: 3 } }]);
    const forgotten = answer({ ok: false, error: { code: "EPOCH_UNKNOWN", message: "?" } });
    expect(asker.learn("gw1", forgotten, tail)).toEqual({ gaps: [], ends: [{ gateway: "gw1", epoch: 4, last: 2 }] });
  });
});

describe("what comes over the wire", () => {
  const bytes = (text: string) => Buffer.from(text);
  const good = { epoch: 1, seq: 2, time: "t", clock: "synced", values: { a: 1 } };

  test("a reading is taken apart", () => {
    expect(readingOf("base/x/gw/dev/readings", "base/x", bytes(JSON.stringify(good)))).toEqual({
      ...{ gateway: "gw", device: "dev", epoch: 1, seq: 2, time: "t", clock: "synced", values: '{"a":1}' },
    });
  });

  test.each([
    "",
    "null",
    "[]",
    "{",
    '{"epoch":1}',
    JSON.stringify({ ...good, seq: 0 }),
    JSON.stringify({ ...good, epoch: "1" }),
  ])("what is none is left alone: %s", (text) => {
    expect(readingOf("base/gw/dev/readings", "base", bytes(text))).toBeUndefined();
  });

  test("another consumer's gap is not ours", () => {
    const gap = { epoch: 1, from: 2, to: 3, reason: "full" };
    expect(gapOf("gw", "sql", bytes(JSON.stringify(gap)))).toEqual({ gateway: "gw", ...gap });
    expect(gapOf("gw", "sql", bytes(JSON.stringify({ ...gap, consumer: "sql" })))).toEqual({ gateway: "gw", ...gap });
    expect(gapOf("gw", "sql", bytes(JSON.stringify({ ...gap, consumer: "other" })))).toBeUndefined();
    expect(gapOf("gw", "sql", bytes(JSON.stringify({ epoch: 1, from: 9 })))).toBeUndefined();
  });
});
