import { expect, test } from "vitest";
import { clearFaultsOf } from "../../src/wiring/clear-faults.ts";

test("one device's faults are its own; without a device the gateway's are meant as well", () => {
  const asked: unknown[] = [];
  const clear = clearFaultsOf({
    roster: {
      clearFaults(id) {
        asked.push(id);
        return ["a"];
      },
    },
    store: { acknowledgeFaults: () => asked.push("store") > 0 },
    uplink: { clearFaults: () => asked.push("uplink") < 0 },
  });
  expect(clear("a")).toEqual({ devices: ["a"], gateway: false });
  expect(asked).toEqual(["a"]);
  expect(clear(undefined)).toEqual({ devices: ["a"], gateway: true });
  expect(asked).toEqual(["a", undefined, "store", "uplink"]);
});
