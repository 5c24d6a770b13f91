import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFrames, encodeFrame } from "../../src/store/journal/frames.ts";

describe("frames", () => {
  const values = fc.array(fc.record({ text: fc.string({ unit: "binary" }), n: fc.integer() }), { maxLength: 10 });

  it("come back as they were, up to the first that is torn", () => {
    fc.assert(
      fc.property(values, fc.nat(), (all, seed) => {
        const frames = all.map(encodeFrame);
        const bytes = Buffer.concat(frames);
        expect(decodeFrames(bytes)).toEqual(all);
        const cut = bytes.length === 0 ? 0 : seed % bytes.length;
        let whole = 0;
        for (let end = 0; whole < frames.length; whole++) {
          end += frames[whole]!.length;
          if (end > cut) break;
        }
        expect(decodeFrames(bytes.subarray(0, cut))).toEqual(all.slice(0, whole));
      }),
    );
  });

  it("end at a flipped bit", () => {
    const bytes = Buffer.concat([encodeFrame({ n: 1 }), encodeFrame({ n: 2 }), encodeFrame({ n: 3 })]);
    const second = encodeFrame({ n: 1 }).length;
    bytes[second + 9]! ^= 1;
    expect(decodeFrames(bytes)).toEqual([{ n: 1 }]);
  });
});
