import { expect, it } from "vitest";
import { simulate } from "./run.ts";

// Schedules of the campaign that broke a promise once, beyond those of the ordinary tests.
it.each([
  ["an epoch that a failing disk never took, ended by a power cut", 2079500389],
  ["an epoch that got its number while a commit under the old one was under way", 2079500811],
  ["a gap in an epoch that got another number before the gap was told", 2079511187],
])("%s", async (_, seed) => {
  expect((await simulate(seed)).violations).toEqual([]);
});
