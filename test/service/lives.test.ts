import fc from "fast-check";
import { expect, it } from "vitest";
import { type BootAnchors, resolveTime } from "../../src/core/timeline.ts";
import { withLook } from "../../src/service/timekeeper.ts";

const HOUR = 3_600_000;
const START = Date.parse("2026-06-01T12:00:00Z");
const LOOK_MS = 300_000;
/** NTP keeps within some milliseconds, and so may be wrong by as much. */
const NTP_MS = 2;

/** One life of a machine without a clock of its own, as chance has it. */
const life = fc.record({
  lastsMs: fc.integer({ min: 60_000, max: 24 * HOUR }),
  offMs: fc.oneof(fc.constant(0), fc.integer({ min: 1000, max: 5 * HOUR })),
  syncAtMs: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 6 * HOUR }) }, fc.constant(Infinity)),
  losesSyncAfterMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: HOUR, max: 8 * HOUR })),
  darkForMs: fc.integer({ min: HOUR, max: 8 * HOUR }),
  startsAt1970: fc.boolean(),
  /** Somebody sets the clock, right or wrong; it counts as synced again once NTP has put it right. */
  handSetAtMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 20 * HOUR })),
  handSetByMs: fc.integer({ min: -48 * HOUR, max: 48 * HOUR }),
  correctedAfterMs: fc.integer({ min: LOOK_MS, max: 2 * HOUR }),
  suspendedAtMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 20 * HOUR })),
  suspendedForMs: fc.integer({ min: 1000, max: 8 * HOUR }),
  /** When in each pause between two looks a reading is taken. */
  readingShare: fc.double({ min: 0, max: 0.999, noNaN: true }),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

interface Taken {
  readonly boot: string;
  readonly monoMs: number;
  readonly trueMs: number;
}

/** The machine's clocks: what is true, what it counts since it booted, and by how much its wall clock is wrong. */
interface Hands {
  trueMs: number;
  monoMs: number;
  errorMs: number;
}

function isSynced(one: Life, upMs: number): boolean {
  const sinceSyncMs = upMs - one.syncAtMs;
  const sinceHandMs = upMs - one.handSetAtMs;
  const isDark = sinceSyncMs > one.losesSyncAfterMs && sinceSyncMs < one.losesSyncAfterMs + one.darkForMs;
  const isAstray = sinceHandMs >= 0 && sinceHandMs < one.correctedAfterMs;
  return sinceSyncMs >= 0 && !isDark && !isAstray;
}

/** A quartz that nobody steers is off by `ppm`. */
function pass(hands: Hands, ms: number, ppm: number): void {
  hands.trueMs += ms;
  hands.monoMs += ms * (1 + ppm * 1e-6);
  hands.errorMs += ms * ppm * 1e-6;
}

function live(one: Life, id: string, trueMs: number, ppm: number) {
  const hands: Hands = { trueMs, monoMs: 0, errorMs: one.startsAt1970 ? -trueMs : -one.offMs };
  const taken: Taken[] = [];
  let boot: BootAnchors = { boot: id, anchors: [] };
  let [wasSet, hasSlept] = [false, false];
  for (let upMs = 0; upMs < one.lastsMs; upMs += LOOK_MS) {
    const synced = isSynced(one, upMs);
    if (!wasSet && upMs >= one.handSetAtMs) hands.errorMs += one.handSetByMs;
    wasSet ||= upMs >= one.handSetAtMs;
    if (synced) hands.errorMs = Math.sin(upMs) * NTP_MS;
    const offsetMs = hands.trueMs + hands.errorMs - hands.monoMs;
    boot = withLook(boot, { monoMs: hands.monoMs, offsetMs, sync: synced ? "synced" : "unsynced" });
    if (!hasSlept && upMs >= one.suspendedAtMs) {
      pass(hands, one.suspendedForMs, ppm);
      hasSlept = true;
    }
    const drift = synced ? 0 : ppm;
    pass(hands, LOOK_MS * one.readingShare, drift);
    taken.push({ boot: id, monoMs: hands.monoMs, trueMs: hands.trueMs });
    pass(hands, LOOK_MS * (1 - one.readingShare), drift);
  }
  return { boot, taken, endMs: hands.trueMs };
}

function simulate(lives: readonly Life[], ppm: number) {
  const boots: BootAnchors[] = [];
  const taken: Taken[] = [];
  let trueMs = START;
  lives.forEach((one, index) => {
    const lived = live(one, `boot-${index}`, trueMs, ppm);
    boots.push(lived.boot);
    taken.push(...lived.taken);
    trueMs = lived.endMs + one.offMs;
  });
  return { boots, taken };
}

/** How the time of a reading is wrong; undefined when it is within what is promised. */
function violation(boots: readonly BootAnchors[], { boot, monoMs, trueMs }: Taken): string | undefined {
  const { wallMs, clock, earliestMs = -Infinity, latestMs = Infinity } = resolveTime(boots, { boot, monoMs }, 0);
  const { anchors } = boots.find((candidate) => candidate.boot === boot)!;
  if (clock !== (anchors.length > 0 ? "synced" : "estimated")) return `is ${clock} with ${anchors.length} anchors`;
  if (clock === "synced") {
    const from = anchors.findLast((anchor) => anchor.monoMs <= monoMs) ?? anchors[0]!;
    const allowedMs = Math.abs(monoMs - from.monoMs) * 60e-6 + 2 * NTP_MS;
    return Math.abs(wallMs - trueMs) > allowedMs ? `is off by ${wallMs - trueMs} of ${allowedMs} ms` : undefined;
  }
  if (trueMs < earliestMs || trueMs > latestMs) return `${trueMs} is not in ${earliestMs} to ${latestMs}`;
  return wallMs < earliestMs - 1 || wallMs > latestMs + 1 ? "the estimate is out of its own bounds" : undefined;
}

it("readings of 3000 simulated lives: none is dated beyond the drift since its anchor, or out of its neighbours' bounds", () => {
  const now: BootAnchors = { boot: "now", anchors: [] };
  const counted = { readings: 0, bounded: 0 };
  fc.assert(
    fc.property(
      fc.array(life, { minLength: 1, maxLength: 4 }),
      fc.double({ min: -50, max: 50, noNaN: true }),
      (lives, ppm) => {
        const { boots, taken } = simulate(lives, ppm);
        const known = [...boots, now];
        for (const reading of taken) {
          const wrong = violation(known, reading);
          if (wrong !== undefined) throw new Error(`a reading at ${reading.monoMs} of ${reading.boot}: ${wrong}`);
          counted.readings++;
        }
        const lost = boots.filter(({ anchors }) => anchors.length === 0);
        counted.bounded += lost.filter(({ boot }) => resolveTime(known, { boot, monoMs: 0 }, 0).latestMs).length;
      },
    ),
    { numRuns: 3000 },
  );
  expect(counted.readings).toBeGreaterThan(100_000);
  expect(counted.bounded).toBeGreaterThan(50);
}, 120_000);

it("a reading that is sent again keeps its time, whatever anchors came in between", () => {
  fc.assert(
    fc.property(life, fc.double({ min: -50, max: 50, noNaN: true }), (one, ppm) => {
      const { boot, taken } = live(one, "boot", START, ppm);
      const [first] = boot.anchors;
      for (const { monoMs } of taken) {
        const known = boot.anchors.filter((anchor) => anchor === first || anchor.monoMs <= monoMs);
        const when = (anchors: BootAnchors["anchors"]) =>
          resolveTime([{ boot: "boot", anchors }], { boot: "boot", monoMs }, 0);
        if (first && when(known).wallMs !== when(boot.anchors).wallMs) throw new Error(`${monoMs} has moved`);
      }
    }),
    { numRuns: 200 },
  );
});
