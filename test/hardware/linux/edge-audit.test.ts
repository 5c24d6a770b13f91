import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EdgeAudit, interruptsOf } from "../../../src/hardware/linux/edge-audit.ts";

describe("the kernel's count of a line's interrupts", () => {
  const table = [
    "           CPU0       CPU1       ",
    " 17:          0          3   pinctrl-bcm2835  17 Edge      onewire",
    " 55:         12          5   pinctrl-bcm2835  17 Edge      gpiomon",
    " 56:          9          0   pinctrl-bcm2835  27 Edge      gpiomon",
    " 57:          4          0   irq_sim   5  gpiomon",
    "LOC:      20989      19842   Local timer interrupts",
  ];

  test("is that of all processors, of the line that gpiomon holds", () => {
    expect([17, 27, 5, 4].map((pin) => interruptsOf(table.join("\n"), pin))).toEqual([17, 9, 4, undefined]);
  });

  test("is none where two chips have such a line", () => {
    const two = [...table, " 60:          7          0   mcp23017  17 Edge      gpiomon"].join("\n");
    expect(interruptsOf(two, 17)).toBeUndefined();
  });
});

/** What happens to a line: an edge that is told or lost, a question or its answer, at whatever distance. */
const happening = fc.record({
  what: fc.constantFrom("told", "told", "told", "lost", "asked", "counted", "answered"),
  afterMs: fc.double({ min: 0.01, max: 50, noNaN: true }),
  tellsLate: fc.nat({ max: 5 }),
});

describe("the audit", () => {
  test("finds as many edges as were lost once it is quiet, and never more, however late edges and counts are told", () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.array(happening, { maxLength: 80 }), (early, happenings) => {
        let [nowMs, interrupts, lost, found] = [0, 1000, 0, 0];
        let counted: number | undefined;
        let isAsking = false;
        const audit = new EdgeAudit((edges) => (found += edges));
        const untold: number[] = [];
        // Edges that come between the claim and the first count, some told before it.
        for (let edge = 0; edge < early; edge++) {
          interrupts++;
          untold.push(nowMs++);
          if (edge % 2 === 1) audit.heard(untold.shift() ?? 0);
        }
        audit.begin(interrupts);
        const answer = () => {
          if (isAsking) audit.answered(counted ?? interrupts, nowMs);
          isAsking = false;
          counted = undefined;
        };
        for (const { what, afterMs, tellsLate } of happenings) {
          nowMs += afterMs;
          while (untold.length > tellsLate) audit.heard(untold.shift() ?? 0);
          if (what === "told" || what === "lost") interrupts++;
          if (what === "told") untold.push(nowMs);
          if (what === "lost") lost++;
          if (what === "asked" && !isAsking) isAsking = audit.asks(nowMs);
          if (what === "counted" && isAsking) counted ??= interrupts;
          if (what === "answered") answer();
          expect(found).toBeLessThanOrEqual(lost);
        }
        for (const edge of untold) audit.heard(edge);
        answer();
        for (let second = 1; second <= 18; second++) {
          if (audit.asks(nowMs + second * 1000)) audit.answered(interrupts, nowMs + second * 1000 + 1);
        }
        // What was lost before the first count was compared may hide behind the edges that came before it.
        expect(found).toBeLessThanOrEqual(lost);
        expect(found).toBeGreaterThanOrEqual(lost - early);
      }),
    );
  });

  test("does not take the edges for lost that are heard while the count is on its way", () => {
    let found = 0;
    const audit = new EdgeAudit((edges) => (found += edges));
    audit.begin(0);
    expect(audit.asks(10)).toBe(true);
    for (const kernelMs of [11, 12, 13]) audit.heard(kernelMs);
    audit.answered(1, 14);
    for (const kernelMs of [15, 16]) audit.heard(kernelMs);
    expect(audit.asks(20)).toBe(true);
    audit.answered(5, 21);
    audit.heard(22);
    expect(found).toBe(0);
  });
});
