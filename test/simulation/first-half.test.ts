import { expect, it } from "vitest";
import { allHold } from "./seeds.ts";

it("5,000 schedules of faults cost no reading, no order, no seq and no truth", async () => {
  const { readings, arrived } = await allHold(1, 5000);
  expect(arrived).toBeGreaterThan(readings * 0.9);
}, 600_000);
