import fc from "fast-check";
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

/** One life of a machine without a clock of its own, as chance has it; times in ms. */
const life = fc.record({
  lastsMs: fc.integer({ min: 60_000, max: 24 * HOUR }),
  offMs: fc.integer({ min: 1000, max: 5 * HOUR }),
  syncAtMs: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 6 * HOUR }) }, fc.constant(Infinity)),
  losesSyncAfterMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: HOUR, max: 8 * HOUR })),
  darkForMs: fc.integer({ min: HOUR, max: 8 * HOUR }),
  startsAt1970: fc.boolean(),
});

interface Taken {
  readonly boot: string;
  readonly monoMs: number;
  readonly trueMs: number;
}

/** Lives one after the other under a quartz that is off by `ppm`; looks and readings each 5 minutes. */
function simulate(lives: readonly Life[], ppm: number) {
  const boots: BootAnchors[] = [];
  const taken: Taken[] = [];
  let trueMs = START;
  lives.forEach((one, index) => {
    let boot: BootAnchors = { boot: `boot-${index}`, anchors: [] };
    let monoMs = 0;
    let errorMs = one.startsAt1970 ? -trueMs : -one.offMs;
    for (let upMs = 0; upMs < one.lastsMs; upMs += 300_000) {
      const sinceSyncMs = upMs - one.syncAtMs;
      const isDark = sinceSyncMs > one.losesSyncAfterMs && sinceSyncMs < one.losesSyncAfterMs + one.darkForMs;
      const isSynced = sinceSyncMs >= 0 && !isDark;
      errorMs = isSynced ? Math.sin(upMs) * 2 : errorMs + 300_000 * ppm * 1e-6;
      boot = withLook(boot, { monoMs, offsetMs: trueMs + errorMs - monoMs, sync: isSynced ? "synced" : "unsynced" });
      taken.push({ boot: boot.boot, monoMs, trueMs });
      trueMs += 300_000;
      monoMs += 300_000 * (1 + ppm * 1e-6);
    }
    boots.push(boot);
    trueMs += one.offMs;
  });
  return { boots, taken };
}

interface Life {
  lastsMs: number;
  offMs: number;
  syncAtMs: number;
  losesSyncAfterMs: number;
  darkForMs: number;
  startsAt1970: boolean;
}

describe("dating readings afterwards", () => {
  it("is right to 60 ppm of the way to the nearest anchor, and within the neighbours' bounds without one", () => {
    fc.assert(
      fc.property(
        fc.array(life, { minLength: 1, maxLength: 4 }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        (lives, ppm) => {
          const { boots, taken } = simulate(lives, ppm);
          for (const { boot, monoMs, trueMs } of taken) {
            const { wallMs, clock } = resolveTime([...boots, { boot: "now", anchors: [] }], { boot, monoMs }, 0);
            const index = boots.findIndex((candidate) => candidate.boot === boot);
            const { anchors } = boots[index]!;
            expect(clock).toBe(anchors.length > 0 ? "synced" : "estimated");
            if (anchors.length > 0) {
              const nearest = Math.min(...anchors.map((anchor) => Math.abs(anchor.monoMs - monoMs)));
              const before = anchors.findLast((anchor) => anchor.monoMs <= monoMs) ?? anchors[0]!;
              const reach = Math.max(nearest, Math.abs(monoMs - before.monoMs));
              expect(Math.abs(wallMs - trueMs)).toBeLessThanOrEqual(reach * 60e-6 + 10);
            } else {
              const previous = boots.slice(0, index).findLast((candidate) => candidate.anchors.length > 0);
              const next = boots.slice(index + 1).find((candidate) => candidate.anchors.length > 0);
              const last = previous?.anchors.at(-1);
              if (last) expect(wallMs).toBeGreaterThanOrEqual(last.monoMs + last.offsetMs);
              if (next && last) expect(wallMs).toBeLessThanOrEqual(next.anchors[0]!.offsetMs + 10);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
