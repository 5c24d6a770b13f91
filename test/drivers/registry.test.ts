import { describe, expect, test } from "vitest";
import { z } from "zod";
import { channelsOf } from "../../src/drivers/driver.ts";
import { drivers, findDriver, namesOf } from "../../src/drivers/registry.ts";

/** What every device has in the configuration, whatever its driver. */
const commonKeys = [
  ...["id", "name", "driver", "bus", "address", "area", "interval", "channels", "process", "enabled", "qos"],
  ...["previous_id", "offline_after", "max_damaged"],
];

test("no two drivers answer to one name", () => {
  const names = drivers.flatMap(namesOf);
  expect(new Set(names).size).toBe(names.length);
});

test("the list is sorted by name, so that a new driver has one place to go", () => {
  const names = drivers.map(({ name }) => name);
  expect(names).toEqual(names.toSorted());
});

test("a driver is found by its name and by each alias, and by nothing else", () => {
  for (const driver of drivers) for (const name of namesOf(driver)) expect(findDriver(name)).toBe(driver);
  expect(findDriver("bme28")).toBeUndefined();
});

describe.each(drivers.map((driver) => [driver.name, driver] as const))("%s", (_name, driver) => {
  test("has names that can be written in a configuration and in a topic", () => {
    for (const name of namesOf(driver)) expect(name).toMatch(/^[a-z0-9][a-z0-9-]*$/);
    expect(driver.title.length).toBeGreaterThan(10);
  });

  test("describes each option, and none hides a key that every device has", () => {
    const { properties = {} } = z.toJSONSchema(z.strictObject(driver.options), { io: "input" });
    expect(Object.keys(properties)).toEqual(Object.keys(driver.options));
    for (const [key, property] of Object.entries(properties)) {
      expect(key).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(commonKeys).not.toContain(key);
      expect(property).toHaveProperty("description");
    }
  });

  test("has channels with keys fit for topics, sane ranges and few decimals", () => {
    for (const { key, title, decimals, min = -Infinity, max = Infinity } of channelsOf(driver.channels)) {
      expect(key).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(title).not.toBe("");
      expect(min).toBeLessThan(max);
      expect(decimals).toBeGreaterThanOrEqual(0);
      expect(decimals).toBeLessThanOrEqual(6);
    }
  });

  test("has event types, fit for automations, on channels of events and on no others", () => {
    for (const { quantity, eventTypes, min, max } of channelsOf(driver.channels)) {
      expect(eventTypes !== undefined).toBe(quantity === "event");
      for (const type of eventTypes ?? []) expect(type).toMatch(/^[a-z][a-z_]*$/);
      if (eventTypes) expect([min, max]).toEqual([undefined, undefined]);
    }
  });

  test("expects to be done within the shortest interval it allows, and says its default", () => {
    const { minIntervalMs, expectedMs, defaultIntervalMs = minIntervalMs } = driver.timing;
    expect(expectedMs).toBeGreaterThan(0);
    expect(expectedMs).toBeLessThanOrEqual(minIntervalMs);
    expect(defaultIntervalMs).toBeGreaterThanOrEqual(minIntervalMs);
  });

  test("has 7-bit addresses, each once", () => {
    const addresses: readonly number[] = driver.port === "i2c" ? driver.addresses : [];
    expect(new Set(addresses).size).toBe(addresses.length);
    for (const address of addresses) {
      expect(address).toBeGreaterThanOrEqual(0x08);
      expect(address).toBeLessThanOrEqual(0x77);
    }
  });
});
