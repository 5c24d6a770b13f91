import { expect, test } from "vitest";
import { z } from "zod";
import type { GatewayInfo } from "../../src/core/gateway.ts";
import { topicsOf } from "../../src/core/topics.ts";
import { configuredChannels, type Driver } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { announce } from "../../src/home-assistant/announce.ts";
import { objections } from "./checker.ts";

const gateway: GatewayInfo = {
  id: "gw",
  name: "gw",
  instance: "i",
  version: "1",
  host: "h",
  kernel: "k",
  broker: "external",
  epoch: 1,
};
const topics = topicsOf("fieldpost", gateway.id);

/** What no driver of its kind does without. */
const PINS = { pin: 17, pin_b: 18, per_pulse: 0.5 };

/** Every value that an option can take, where that is a small number of values: those of an enum, yes and no. */
function valuesOf(schema: unknown): unknown[] {
  const { type, enum: values, anyOf } = z.toJSONSchema(schema as z.ZodType, { io: "input", unrepresentable: "any" });
  if (Array.isArray(values)) return values;
  if (type === "boolean") return [true, false];
  return Array.isArray(anyOf)
    ? anyOf.flatMap((one) => (Array.isArray(one.enum) ? one.enum : "const" in one ? [one.const] : []))
    : [];
}

/** The options that can be written: the defaults, and each value of each option that has few. */
function variants(driver: Driver): Record<string, unknown>[] {
  const shape = driver.options as Record<string, z.ZodType>;
  const needed = Object.fromEntries(Object.entries(PINS).filter(([key]) => key in shape));
  const single = Object.entries(shape).flatMap(([key, schema]) => valuesOf(schema).map((value) => ({ [key]: value })));
  const schema = z.object(shape);
  return [{}, ...single].flatMap((variant) => {
    const parsed = schema.safeParse({ ...needed, ...variant });
    return parsed.success ? [parsed.data] : [];
  });
}

test.each(drivers.map((driver) => [driver.name, driver] as const))(
  "Home Assistant takes what %s announces under each of its options",
  (name, driver) => {
    const all = variants(driver);
    expect(all.length).toBeGreaterThan(0);
    for (const options of all) {
      const channels = configuredChannels(driver, options);
      const info = { id: "d", name: "Device", driver: name, intervalMs: 1000, channels };
      for (const expireAfterS of [undefined, 300]) {
        const { topic, payload } = announce(gateway, info, topics, {
          prefix: "homeassistant",
          ...(expireAfterS && { expireAfterS }),
        });
        expect(objections(topic, payload), JSON.stringify(options)).toEqual([]);
      }
    }
  },
);
