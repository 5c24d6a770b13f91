import { describe, expect, test } from "vitest";
import { z } from "zod";
import { configuredChannels } from "../../src/drivers/driver.ts";
import { findDriver } from "../../src/drivers/registry.ts";

function parse(name: string, written: Record<string, unknown>) {
  return z.strictObject(findDriver(name)!.options).safeParse(written);
}

function messages(name: string, written: Record<string, unknown>) {
  return parse(name, written).error?.issues.map(({ message }) => message);
}

describe("a duration", () => {
  test("is milliseconds for the driver", () => {
    expect(parse("digital-output", { pin: 22, failsafe_after: "10m", max_on: "30m" }).data).toMatchObject({
      failsafe_after: 600_000,
      max_on: 1_800_000,
    });
  });

  test("without its unit is asked about", () => {
    expect(messages("digital-input", { pin: 17, debounce: 50 })).toEqual([
      "expected a duration with its unit, such as 500ms, 30s, 10m or 24h",
    ]);
  });

  test("out of its range is refused with the range", () => {
    expect(messages("digital-input", { pin: 17, debounce: "1m" })).toEqual(["expected a duration from 0ms to 10s"]);
  });

  test("of 0 needs no unit", () => {
    expect(parse("digital-input", { pin: 17, debounce: 0 }).data).toMatchObject({ debounce: 0 });
  });
});

test.each([
  ["on", true],
  ["off", false],
  [true, true],
  [false, false],
])("safe_state: %s is understood", (written, state) => {
  expect(parse("digital-output", { pin: 22, safe_state: written }).data).toMatchObject({ safe_state: state });
});

test.each([-1, 54, 1.5, "17"])("pin %j is refused", (pin) => {
  expect(parse("digital-input", { pin }).success).toBe(false);
});

test("options decide about a channel before the device was ever opened", () => {
  const counter = findDriver("pulse-counter")!;
  const options = z.strictObject(counter.options).parse({ pin: 27, per_pulse: 0.5, unit: "L", device_class: "water" });
  expect(configuredChannels(counter, options)).toMatchObject([
    { key: "total", unit: "L", deviceClass: "water" },
    { key: "rate", unit: "L/min" },
    { key: "losses" },
  ]);
});

test("a pull resistor that the sysfs backend cannot set is told by check, with the line for config.txt", () => {
  const input = findDriver("digital-input")!;
  expect(input.notices?.({ pin: 17 })).toEqual([]);
  expect(input.notices?.({ pin: 17, pull: "up" })).toEqual([expect.stringContaining("gpio=17=ip,pu")]);
});
