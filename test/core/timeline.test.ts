import { describe, expect, it } from "vitest";
import { type BootAnchors, resolveTime } from "../../src/core/timeline.ts";

const NOON = Date.parse("2026-06-01T12:00:00Z");
const at = (boot: string, monoMs: number) => ({ boot, monoMs });
const anchor = (monoMs: number, offsetMs: number) => ({ monoMs, offsetMs });
const wall = (boots: BootAnchors[], boot: string, monoMs: number, fallback = 0) =>
  resolveTime(boots, at(boot, monoMs), fallback);

describe("a stamp of a boot that was synced", () => {
  const boots: BootAnchors[] = [
    {
      boot: "a",
      anchors: [anchor(1000, NOON), anchor(2000, NOON + 10), { ...anchor(3000, NOON + 5000), step: true }],
    },
  ];

  it("before the first anchor takes its offset", () => {
    expect(wall(boots, "a", 500)).toEqual({ wallMs: NOON + 500, clock: "synced" });
  });

  it("after an anchor goes on as that says, and keeps that time when later ones come", () => {
    const earlier = boots.map((boot) => ({ ...boot, anchors: boot.anchors.slice(0, 1) }));
    expect(wall(earlier, "a", 1500)).toEqual({ wallMs: NOON + 1500, clock: "synced" });
    expect(wall(boots, "a", 1500)).toEqual(wall(earlier, "a", 1500));
  });

  it("before a step goes on as the anchor before it says", () => {
    expect(wall(boots, "a", 2999).wallMs).toBe(NOON + 2999 + 10);
  });

  it("after the last anchor goes on as that says", () => {
    expect(wall(boots, "a", 9000).wallMs).toBe(NOON + 9000 + 5000);
  });
});

describe("a stamp of a boot that never synced", () => {
  const before: BootAnchors = { boot: "before", anchors: [anchor(1000, NOON)] };
  const after: BootAnchors = { boot: "after", anchors: [anchor(60_000, NOON + 3_600_000)] };

  it("of the running boot is what the clock shows", () => {
    expect(wall([{ boot: "now", anchors: [] }], "now", 1000, NOON)).toStrictEqual({
      wallMs: NOON + 1000,
      clock: "estimated",
    });
  });

  it("of the running boot keeps its time over repeated looks at the clock, until that is set", () => {
    const boots: BootAnchors[] = [{ boot: "now", anchors: [], seen: anchor(500, NOON) }];
    expect(wall(boots, "now", 1000, NOON - 0.9).wallMs).toBe(NOON + 1000);
    expect(wall(boots, "now", 1000, NOON + 3_600_000).wallMs).toBe(NOON + 3_601_000);
  });

  it("is sent with the bounds that the boots before and after it set, a quartz's drift allowed for", () => {
    const lost: BootAnchors = { boot: "lost", anchors: [], seen: anchor(600_000, 0) };
    expect(wall([lost], "lost", 2000)).not.toHaveProperty("earliestMs");
    expect(wall([before, lost], "lost", 2000)).not.toHaveProperty("latestMs");
    const { earliestMs = 0, latestMs = 0 } = wall([before, lost, after], "lost", 2000);
    expect(NOON + 1000 + 2000 - earliestMs).toBeCloseTo(100 + 2000 * 60e-6, 3);
    expect(latestMs - (NOON + 3_600_000 - 598_000)).toBeCloseTo(100 + (60_000 + 598_000) * 60e-6, 3);
  });

  it("of the running boot is never before the end of the one before", () => {
    expect(wall([before, { boot: "now", anchors: [] }], "now", 500, 0).wallMs).toBe(NOON + 1000 + 500);
  });

  it("of an earlier boot follows its neighbour before, and ends before its neighbour after began", () => {
    const lost: BootAnchors = { boot: "lost", anchors: [] };
    expect(wall([before, lost, after], "lost", 2000).wallMs).toBe(NOON + 1000 + 2000);
    expect(wall([lost, after], "lost", 2000, NOON * 2).wallMs).toBe(NOON + 3_600_000);
  });

  it("of an earlier boot is what its clock showed, within these bounds", () => {
    const lost = (offsetMs: number): BootAnchors => ({ boot: "lost", anchors: [], seen: anchor(600_000, offsetMs) });
    expect(wall([before, lost(NOON + 60_000), after], "lost", 2000).wallMs).toBe(NOON + 60_000 + 2000);
    expect(wall([before, lost(0), after], "lost", 2000).wallMs).toBe(NOON + 1000 + 2000);
    expect(wall([before, lost(NOON * 2), after], "lost", 2000).wallMs).toBe(NOON + 3_600_000 - 600_000 + 2000);
  });

  it("leaves room for other such boots beside it", () => {
    const dark = (boot: string): BootAnchors => ({ boot, anchors: [], seen: anchor(600_000, 0) });
    const boots = [before, dark("first"), dark("second"), after];
    expect(wall(boots, "first", 0).wallMs).toBe(NOON + 1000);
    expect(wall(boots, "second", 0).wallMs).toBe(NOON + 1000 + 600_000);
  });
});
