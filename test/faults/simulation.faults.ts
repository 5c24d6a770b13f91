import { expect, test } from "vitest";
import { allHold } from "../simulation/seeds.ts";
import { figures, rounds } from "./campaign.ts";

test("the whole agent in simulated time: schedules that nobody has seen before", async () => {
  // Beyond those of the ordinary tests, and others each day.
  const from = 1_000_000 + Math.floor(Date.now() / 86_400_000) * 100_000;
  const { schedules, readings, arrived, simulatedHours } = await allHold(from, rounds(100_000, 1000));
  expect(arrived).toBeGreaterThan(readings * 0.9);
  figures("simulation", { from, schedules, readings, arrived, simulatedHours, violations: 0 });
});
