import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveRanges } from "../../src/store/live-ranges.ts";

const span = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }));

describe("live ranges", () => {
  it("hold exactly what a set would, whatever is taken out", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 40 }), fc.array(span), (steps, removals) => {
        const live = new LiveRanges();
        const model = new Set<number>();
        let position = 0;
        for (const step of steps) {
          position += step;
          live.push(position);
          model.add(position);
        }
        for (const [from, length] of removals) {
          const gone = [...model].filter((candidate) => candidate >= from && candidate <= from + length);
          for (const candidate of gone) model.delete(candidate);
          expect(live.remove(from, from + length)).toBe(gone.length);
        }
        const all = [...model].sort((a, b) => a - b);
        expect(live.total).toBe(all.length);
        expect(live.first).toBe(all[0]);
        for (let at = 0; at <= position + 1; at++) {
          expect(live.has(at)).toBe(model.has(at));
          expect(live.next(at)).toBe(all.find((candidate) => candidate > at));
        }
      }),
    );
  });

  it("join neighbours and refuse what is not above", () => {
    const live = new LiveRanges();
    for (const position of [1, 2, 3, 5]) live.push(position);
    expect(live.toArray()).toEqual([
      { from: 1, to: 3 },
      { from: 5, to: 5 },
    ]);
    expect(() => live.push(5)).toThrow("not above");
  });

  it("intersect", () => {
    const a = LiveRanges.of([
      { from: 1, to: 5 },
      { from: 8, to: 12 },
    ]);
    const b = LiveRanges.of([{ from: 4, to: 9 }]);
    expect(a.intersect(b).toArray()).toEqual([
      { from: 4, to: 5 },
      { from: 8, to: 9 },
    ]);
  });
});
