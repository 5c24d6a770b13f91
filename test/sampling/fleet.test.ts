import { expect, test } from "vitest";
import { Fleet } from "../../src/sampling/fleet.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

test("a fleet that has ended starts no device any more", async () => {
  const fleet = new Fleet({ clock: new FakeClock(), random: () => 0.5, log: fakeLog() });
  await fleet.run(AbortSignal.abort());
  let opened = false;
  const open = async () => {
    opened = true;
    return { read: async () => ({ values: {} }) };
  };
  const limits = { stuckAfterMs: {}, damagedPercent: 10 };
  const device = { id: "late", intervalMs: 1000, offlineAfterMs: 3000, deadlineMs: 2_000, limits, channels: [], open };
  fleet.start(device, { opened: () => {}, sample: () => {}, event: () => {}, health: () => {} });
  await new Promise(setImmediate);
  expect(opened).toBe(false);
});
