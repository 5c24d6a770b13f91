import { expect, test } from "vitest";
import { describeDriver } from "../../src/drivers/describe.ts";
import { drivers, findDriver } from "../../src/drivers/registry.ts";

const page = (name: string) => describeDriver(findDriver(name)!);
const option = (name: string, key: string) => page(name).options.find((row) => row.key === key);

test.each(drivers.map((driver) => [driver.name, driver] as const))("%s has a page", (_, driver) => {
  const { options, channels } = describeDriver(driver);
  expect(options.map(({ key }) => key)).toEqual(Object.keys(driver.options));
  for (const row of options) {
    expect(row.description, row.key).not.toBe("");
    if (row.required) expect(row, row.key).not.toHaveProperty("default");
  }
  expect(channels.map(({ key }) => key)).toEqual(Object.keys(driver.channels));
});

test("a page says what a number, a choice, a duration and a switch may be, and the default as it would be written", () => {
  expect(option("mcp23017", "interrupt_pin")).toMatchObject({ required: false, values: "0 to 53" });
  expect(option("digital-input", "pin")).toMatchObject({ required: true });
  expect(option("sht4x", "precision")).toMatchObject({ values: "high, medium or low", default: "high" });
  expect(option("pulse-counter", "debounce")).toMatchObject({ values: "duration", default: "5ms" });
  expect(option("digital-output", "safe_state")).toMatchObject({ values: "on or off", default: "off" });
  expect(option("pulse-counter", "per_pulse")).toMatchObject({ values: "number above 0", default: "1" });
});

test("a page shows addresses, the unit on the wire and the range", () => {
  const { addresses, channels } = page("bme280");
  expect(addresses).toEqual(["0x76", "0x77"]);
  expect(channels).toContainEqual({ key: "pressure", title: "Pressure", unit: "hPa", min: 300, max: 1100 });
});

test("an alias leads to the driver's page", () => {
  expect(page("sht31").name).toBe("sht3x");
});
