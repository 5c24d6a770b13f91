import { expect, test } from "vitest";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";

const at = (atMs: number) => simulatedWorld({ monoMs: () => atMs });
const week = Array.from({ length: 7 * 24 * 60 }, (_, minute) => at(minute * 60_000));

test("the world is the same at the same time", () => {
  expect(at(123_456).temperatureC()).toBe(at(123_456).temperatureC());
});

test.each([
  ["temperature", 15, 30, week.map((world) => world.temperatureC())],
  ["humidity", 30, 70, week.map((world) => world.humidityPercent())],
  ["pressure", 1000, 1030, week.map((world) => world.pressureHpa())],
])("%s stays between %d and %d", (_, min, max, values) => {
  expect(Math.min(...values)).toBeGreaterThan(min);
  expect(Math.max(...values)).toBeLessThan(max);
});

test("it moves smoothly: less than a degree in a minute", () => {
  const steps = week
    .slice(1)
    .map((world, index) => Math.abs(world.temperatureC() - (week[index]?.temperatureC() ?? 0)));
  expect(Math.max(...steps)).toBeLessThan(1);
});
