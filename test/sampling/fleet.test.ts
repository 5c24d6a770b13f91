import { expect, test } from "vitest";
import { channelsOf } from "../../src/drivers/driver.ts";
import type { DeviceSink } from "../../src/sampling/device-loop.ts";
import { Fleet } from "../../src/sampling/fleet.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

const limits = { stuckAfterMs: {}, damagedPercent: 10 };
const channels = channelsOf({ temperature: { quantity: "temperature" } });
const sink: DeviceSink = { opened: () => {}, sample: () => {}, event: () => {}, health: () => {} };

test("a fleet that has ended starts no device any more", async () => {
  const fleet = new Fleet({ clock: new FakeClock(), random: () => 0.5, log: fakeLog() });
  await fleet.run(AbortSignal.abort());
  let opened = false;
  const open = async () => {
    opened = true;
    return { read: async () => ({ values: {} }) };
  };
  const device = { id: "late", intervalMs: 1000, offlineAfterMs: 3000, deadlineMs: 2_000, limits, channels: [], open };
  fleet.start(device, sink);
  await new Promise(setImmediate);
  expect(opened).toBe(false);
});

test("devices that start together are read at once, and then each in a slot of its own", async () => {
  const clock = new FakeClock();
  const fleet = new Fleet({ clock, random: () => 0.5, log: fakeLog() });
  const originMs = clock.monoMs();
  const reads: number[][] = [];
  for (let nth = 0; nth < 20; nth++) {
    const atMs: number[] = [];
    reads.push(atMs);
    const read = async () => {
      atMs.push(clock.monoMs() - originMs);
      return { values: { temperature: 20 } };
    };
    const device = { id: `d${nth}`, intervalMs: 1000, offlineAfterMs: 3000, deadlineMs: 2_000, limits, channels };
    fleet.start({ ...device, open: async () => ({ read }) }, sink);
  }
  await clock.advance(4000);
  const slots = reads.map(([first = 0, second = 0, third = 0, fourth = 0]) => {
    expect([first, third - second, fourth - third]).toEqual([0, 1000, 1000]);
    return second;
  });
  expect(slots[0]).toBe(1000);
  const sorted = slots.toSorted((a, b) => a - b);
  const apart = sorted.slice(1).map((ms, index) => ms - (sorted[index] ?? 0));
  expect(Math.min(...apart)).toBeGreaterThan(25);
  expect(sorted.at(-1)).toBeLessThan(2000);
});
