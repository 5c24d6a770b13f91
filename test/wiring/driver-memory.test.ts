import { expect, test } from "vitest";
import { driverMemory } from "../../src/wiring/driver-memory.ts";

test("what a driver keeps is of one device, and outlives the process in the store's small values", () => {
  const meta = new Map<string, string>();
  const store = {
    getMeta: (key: string) => meta.get(key),
    setMeta: (key: string, value: string) => void meta.set(key, value),
  };
  driverMemory(store, "air").save("baseline");
  expect(driverMemory(store, "air").load()).toBe("baseline");
  expect(driverMemory(store, "other").load()).toBeUndefined();
  expect([...meta.keys()]).toEqual(["driver/air"]);
});
