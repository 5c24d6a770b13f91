import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredRecord } from "../../src/core/reading.ts";
import { recordsOf, segmentsOf } from "../../src/store/segments.ts";

const EPOCHS = [
  { epoch: 100, base: 0, boot: "a" },
  { epoch: 200, base: 50, boot: "b" },
];

const record = fc.record({
  skip: fc.boolean(),
  boot: fc.constantFrom("a", "b"),
  monoMs: fc.integer({ min: 0, max: 10 ** 9 }),
  value: fc.oneof(fc.integer(), fc.string(), fc.boolean()),
});

describe("segments", () => {
  it("give back the records as they were, each of one boot, one epoch and without a hole", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 120 }), (inputs) => {
        const stored = inputs.flatMap(({ skip, boot, monoMs, value }, index): StoredRecord[] => {
          const position = index + 1;
          const { epoch, base } = EPOCHS.findLast((candidate) => candidate.base < position)!;
          const at = { boot, monoMs };
          const reading = { kind: "reading", device: "d", at, values: { value } } as const;
          return skip ? [] : [{ position, epoch, seq: position - base, record: reading }];
        });
        const segments = segmentsOf(stored, 0);
        expect(segments.flatMap((segment) => recordsOf(segment, EPOCHS))).toEqual(stored);
      }),
    );
  });

  it("keep times to the millisecond, however many there are", () => {
    const stored = Array.from({ length: 1000 }, (_, index): StoredRecord => {
      const at = { boot: "a", monoMs: 1000.4 + index * 0.7 };
      return {
        position: index + 1,
        epoch: 100,
        seq: index + 1,
        record: { kind: "reading", device: "d", at, values: {} },
      };
    });
    const back = segmentsOf(stored, 0).flatMap((segment) => recordsOf(segment, [EPOCHS[0]!]));
    for (const [index, { record: kept }] of back.entries()) {
      expect(Math.abs(kept.at.monoMs - stored[index]!.record.at.monoMs)).toBeLessThanOrEqual(0.5);
    }
  });
});
