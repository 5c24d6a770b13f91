import { describe, expect, it } from "vitest";
import type { Log } from "../../src/core/log.ts";
import { type BootAnchors, resolveTime } from "../../src/core/timeline.ts";
import { keepTime, withLook } from "../../src/service/timekeeper.ts";
import { FakeClock } from "../fakes/clock.ts";

const HOUR = 3_600_000;
const START = Date.parse("2026-06-01T12:00:00Z");

function rig(sync: "synced" | "unsynced") {
  const clock = new FakeClock({ wallMs: START, sync });
  const saved = new Map<string, BootAnchors>();
  const lines: string[] = [];
  const write = (message: string) => lines.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write, part: () => log };
  const stop = new AbortController();
  const book = { boots: () => [...saved.values()], saveBoot: (boot: BootAnchors) => void saved.set(boot.boot, boot) };
  const running = keepTime(book, clock, log, stop.signal);
  return {
    clock,
    lines,
    boot: () => saved.get(clock.bootId()),
    async end() {
      stop.abort();
      await running;
    },
  };
}

describe("keeping time", () => {
  it("takes the first anchor as soon as the clock is synced, then one each 10 minutes", async () => {
    const { clock, boot, end } = rig("unsynced");
    await clock.advance(HOUR);
    expect(boot()?.anchors).toEqual([]);
    clock.sync = "synced";
    await clock.advance(10_000);
    expect(boot()?.anchors).toHaveLength(1);
    await clock.advance(HOUR);
    expect(boot()?.anchors).toHaveLength(7);
    await end();
  });

  it("gives a sign of life each 10 minutes as long as there is no anchor", async () => {
    const { clock, boot, end } = rig("unsynced");
    await clock.advance(25 * 60_000);
    expect(boot()?.seen?.monoMs).toBe(1000 + 20 * 60_000);
    await end();
  });

  it("dates a reading that is sent again to the same millisecond, however the looks at an unsynced clock differ", () => {
    const look = (monoMs: number, offsetMs: number) => ({ monoMs, offsetMs, sync: "unsynced" }) as const;
    const first = withLook({ boot: "a", anchors: [] }, look(1000, START));
    const later = withLook(first, look(1000 + 600_000, START + 0.9));
    expect(later.seen).toEqual({ monoMs: 601_000, offsetMs: START });
    const times = [first, later].map((boot) => resolveTime([boot], { boot: "a", monoMs: 1500 }, START + 0.9).wallMs);
    expect(times).toEqual([START + 1500, START + 1500]);
  });

  it("sees at once that an unsynced clock was set", () => {
    const known: BootAnchors = { boot: "a", anchors: [], seen: { monoMs: 1000, offsetMs: START } };
    const set = withLook(known, { monoMs: 11_000, offsetMs: START + HOUR, sync: "unsynced" });
    expect(set.seen).toEqual({ monoMs: 11_000, offsetMs: START + HOUR });
  });

  it("takes an anchor at once when the clock was stepped, and marks it", async () => {
    const { clock, boot, lines, end } = rig("synced");
    await clock.advance(60_000);
    clock.setWallMs(clock.wallMs() + 2000);
    await clock.advance(10_000);
    expect(boot()?.anchors.at(-1)).toMatchObject({ step: true });
    expect(lines).toContain("the clock was stepped");
    await end();
  });

  it("logs a change of the clock's state, and nothing else", async () => {
    const { clock, lines, end } = rig("unsynced");
    await clock.advance(HOUR);
    clock.sync = "synced";
    await clock.advance(HOUR);
    expect(lines).toEqual(["the clock's state changed", "the clock's state changed"]);
    await end();
  });

  it("does not believe a synced clock that shows a time before this program was written", () => {
    const known: BootAnchors = { boot: "a", anchors: [] };
    expect(withLook(known, { monoMs: 1000, offsetMs: 0, sync: "synced" }).anchors).toEqual([]);
  });

  it("keeps the list of anchors short, and every step in it", () => {
    let boot: BootAnchors = { boot: "a", anchors: [] };
    for (let n = 0; n < 500; n++) {
      const offsetMs = START + (n > 250 ? 10_000 : 0);
      boot = withLook(boot, { monoMs: n * 600_000, offsetMs, sync: "synced" });
    }
    expect(boot.anchors.length).toBeLessThanOrEqual(64);
    expect(boot.anchors.filter(({ step }) => step)).toHaveLength(1);
    expect(boot.anchors.at(-1)?.monoMs).toBe(499 * 600_000);
  });
});
