import { expect, it } from "vitest";
import { allHold } from "./seeds.ts";

it("5,000 more schedules of faults cost no reading, no order, no seq and no truth", async () => {
  const { readings, arrived } = await allHold(5001, 5000);
  expect(arrived).toBeGreaterThan(readings * 0.9);
}, 600_000);
