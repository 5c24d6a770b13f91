import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MissedHours, type SeriesKind } from "../../src/history/hours.ts";

const at = (time: string) => Date.parse(`2026-05-01T${time}Z`);
const temperature = { device: "room", channel: "temperature", kind: "measurement", unit: "°C" } as const;

function hoursOf(kind: SeriesKind, until: string, readings: readonly (readonly [string, number])[]) {
  const missed = new MissedHours(at(readings[0]![0]));
  for (const [time, value] of readings) missed.add({ ...temperature, kind }, at(time), value);
  return missed.until(at(until))[0]?.hours.map(({ startMs, ...hour }) => ({
    start: new Date(startMs).toISOString().slice(11, 16),
    ...hour,
  }));
}

describe("the hours that an outage took", () => {
  test("are those that lie in it as a whole, each value weighed by how long it lasted", () => {
    const hours = hoursOf("measurement", "13:10:00", [
      ["10:40:00", 10],
      ["11:15:00", 20],
      ["11:45:00", 40],
      ["12:30:00", 20],
      ["13:05:00", 50],
    ]);
    expect(hours).toMatchObject([
      { start: "11:00", mean: (10 * 15 + 20 * 30 + 40 * 15) / 60, min: 10, max: 40 },
      { start: "12:00", mean: 30, min: 20, max: 40 },
    ]);
  });

  test("are none where it was shorter than an hour, or took none whole", () => {
    expect(hoursOf("measurement", "10:50:00", [["10:05:00", 1]])).toBeUndefined();
    expect(hoursOf("measurement", "11:50:00", [["10:05:00", 1], ["11:45:00", 1]])).toBeUndefined(); // biome-ignore format: a pair a reading
  });

  test("do not have those in which the channel said nothing", () => {
    const starts = hoursOf("measurement", "14:00:00", [
      ["10:00:00", 1],
      ["13:30:00", 2],
    ])?.map(({ start }) => start);
    expect(starts).toEqual(["10:00", "13:00"]);
  });

  test("tell what a total grew by, over a meter that began anew", () => {
    const readings = [
      ["10:30:00", 100],
      ["11:30:00", 107],
      ["12:20:00", 3],
      ["12:40:00", 5],
      ["13:10:00", 6],
    ] as const;
    const grown = (kind: SeriesKind) => hoursOf(kind, "13:30:00", readings)?.map(({ state, grown }) => [state, grown]);
    expect(grown("total_increasing")).toEqual([
      [107, 7],
      [5, 12],
    ]);
    expect(grown("total")).toEqual([
      [107, 7],
      [5, -95],
    ]);
  });

  test("have means between their extremes, and extremes that were measured, however the readings lie", () => {
    const reading = fc.tuple(fc.integer({ min: 0, max: 6 * 3600 }), fc.integer({ min: -50, max: 50 }));
    fc.assert(
      fc.property(fc.array(reading, { minLength: 2, maxLength: 60 }), (unordered) => {
        const readings = [...unordered].sort(([a], [b]) => a - b);
        const beganMs = at("00:00:00");
        const missed = new MissedHours(beganMs);
        for (const [seconds, value] of readings) missed.add(temperature, beganMs + seconds * 1000, value);
        const values = new Set(readings.map(([, value]) => value));
        for (const { mean, min, max, state } of missed.until(beganMs + 24 * 3_600_000)[0]?.hours ?? []) {
          expect(mean).toBeGreaterThanOrEqual(min);
          expect(mean).toBeLessThanOrEqual(max);
          for (const one of [min, max, state]) expect(values).toContain(one);
        }
      }),
    );
  });
});
