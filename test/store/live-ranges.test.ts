import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveRanges, type Range } from "../../src/store/live-ranges.ts";

const span = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }));

const numbers = ({ from, to }: Range) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

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
          const taken = live.take(from, from + length);
          expect(taken.flatMap((range) => numbers(range))).toEqual(gone);
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
});
