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

/** What happens to a line: an edge that is told or lost, or a question, at whatever distance. */
const happening = fc.record({
  what: fc.constantFrom("told", "told", "told", "lost", "asked"),
  afterMs: fc.double({ min: 0.01, max: 50, noNaN: true }),
  tellsLate: fc.nat({ max: 5 }),
});

describe("the audit", () => {
  test("finds as many edges as were lost once it is quiet, and never more, however late edges are told", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        let [nowMs, interrupts, lost, found] = [0, 1000, 0, 0];
        const audit = new EdgeAudit(interrupts, (edges) => (found += edges));
        const untold: number[] = [];
        for (const { what, afterMs, tellsLate } of happenings) {
          nowMs += afterMs;
          while (untold.length > tellsLate) audit.heard(untold.shift() ?? 0);
          if (what !== "asked") interrupts++;
          if (what === "told") untold.push(nowMs);
          if (what === "lost") lost++;
          if (what === "asked") audit.counted({ interrupts, fromMs: nowMs, toMs: nowMs + 0.005 });
          expect(found).toBeLessThanOrEqual(lost);
        }
        for (const edge of untold) audit.heard(edge);
        for (let second = 1; second <= 12; second++) {
          const askedMs = nowMs + second * 1000;
          audit.counted({ interrupts, fromMs: askedMs, toMs: askedMs + 1 });
        }
        expect(found).toBe(lost);
      }),
    );
  });

  test("does not take the edges for lost that came before the first count, and were told after it", () => {
    let found = 0;
    const audit = new EdgeAudit(5, (edges) => (found += edges));
    for (const kernelMs of [1, 2, 3]) audit.heard(kernelMs);
    audit.counted({ interrupts: 5, fromMs: 4, toMs: 4.1 });
    audit.heard(5);
    audit.counted({ interrupts: 6, fromMs: 6, toMs: 6.1 });
    audit.heard(7);
    expect(found).toBe(0);
    audit.counted({ interrupts: 9, fromMs: 8, toMs: 8.1 });
    audit.heard(9);
    expect(found).toBe(2);
  });
});
