import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isAbsence, isGatewayError } from "../../src/core/errors.ts";
import type { Sample } from "../../src/core/reading.ts";
import { type ChannelTable, channelsOf, type Driver } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { simulatedTrees } from "../../src/hardware/simulated/trees.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { FakeClock } from "../fakes/clock.ts";
import { bench } from "./bench.ts";

const never = new AbortController().signal;

/** The options that a device cannot do without. */
const needed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  button: { pin: 16 },
  "digital-input": { pin: 17 },
  "digital-output": { pin: 22, failsafe_after: "10m", max_on: "30m", safe_state: "off" },
  "pulse-counter": { pin: 27, per_pulse: 0.5, unit: "L", device_class: "water" },
  "pwm-output": { pin: 18 },
  "rotary-encoder": { pin: 5, pin_b: 6 },
};

/** How long after a start some channels have nothing to say yet. */
const silentMs: Readonly<Record<string, number>> = { sgp40: 60_000, sgp41: 60_000 };

const optionsOf = (driver: Driver) => needed[driver.name] ?? {};
const named = (chosen: readonly Driver[]) => chosen.map((driver) => [driver.name, driver] as const);
const active = drivers.filter(({ port }) => port !== "planned");

function expectWithin(sample: Sample, table: ChannelTable): void {
  const channels = new Map(channelsOf(table).map((channel) => [channel.key, channel]));
  for (const [key, value] of Object.entries(sample.values)) {
    const channel = channels.get(key);
    expect(channel, `${key} is a channel`).toBeDefined();
    if (typeof value !== "number") continue;
    expect(value, key).toSatisfy(Number.isFinite);
    expect(value, key).toBeGreaterThanOrEqual(channel?.min ?? -Infinity);
    expect(value, key).toBeLessThanOrEqual(channel?.max ?? Infinity);
  }
}

function expectNoNaN(sample: Sample): void {
  for (const value of Object.values(sample.values)) {
    if (typeof value === "number") expect(value).toSatisfy(Number.isFinite);
  }
}

describe.each(named(active))("%s", (_name, driver) => {
  test("opens against its simulation and reads every channel, within its range", async () => {
    const { clock, open, letPass } = bench(driver, optionsOf(driver));
    const sensor = await letPass(open());
    const table = sensor.channels ?? driver.channels;
    await clock.advance(silentMs[driver.name] ?? 0);
    const sample = await letPass(sensor.read(never));
    const valued = Object.keys(table).filter((key) => !table[key]?.eventTypes);
    expect(Object.keys(sample.values).toSorted()).toEqual(valued.toSorted());
    expectWithin(sample, table);
    await letPass(sensor.close?.() ?? Promise.resolve());
  });

  test("keeps to the time that it says a read takes", async () => {
    const { clock, open, letPass } = bench(driver, optionsOf(driver));
    const sensor = await letPass(open());
    const startMs = clock.monoMs();
    await letPass(sensor.read(never));
    expect(clock.monoMs() - startMs).toBeLessThanOrEqual(driver.timing.expectedMs);
    await letPass(sensor.close?.() ?? Promise.resolve());
  });

  test("accepts its own defaults", () => {
    expect(z.strictObject(driver.options).safeParse(optionsOf(driver)).error).toBeUndefined();
  });

  test("refuses an option that it does not know", () => {
    const written = { ...optionsOf(driver), no_such_option: 1 };
    expect(z.strictObject(driver.options).safeParse(written).success).toBe(false);
  });
});

describe.each(named(active.filter(({ port }) => port === "i2c")))("%s on the bus", (_name, driver) => {
  const address = driver.port === "i2c" ? driver.addresses[0] : 0;

  test("is absent, not a value, where nothing answers", async () => {
    const { hardware, open, letPass } = bench(driver);
    (await hardware.i2c("sim")).unplug(address);
    await expect(letPass(open())).rejects.toSatisfy(isAbsence);
  });

  test("is absent once it is unplugged, and reads again once it is back", async () => {
    const { hardware, open, letPass } = bench(driver);
    const bus = await hardware.i2c("sim");
    const sensor = await letPass(open());
    bus.fault(address, { nak: true });
    await expect(letPass(sensor.read(never))).rejects.toSatisfy(isAbsence);
    bus.fault(address);
    expectWithin(await letPass(sensor.read(never)), driver.channels);
    await letPass(sensor.close?.() ?? Promise.resolve());
  });

  test("answers bytes with a flipped bit with a fault, or with a value in range; never with NaN", async () => {
    const { hardware, open, letPass } = bench(driver);
    const bus = await hardware.i2c("sim");
    const sensor = await letPass(open());
    bus.fault(address, { corrupt: true });
    const outcome = await letPass(sensor.read(never)).catch((error: unknown) => error);
    if (isGatewayError(outcome)) expect(["CHECKSUM", "BAD_VALUE", "NOT_READY"]).toContain(outcome.code);
    else expectWithin(outcome as Sample, driver.channels);
  });

  test("gives up waiting when it is asked to", async () => {
    const { open, letPass } = bench(driver);
    const sensor = await letPass(open());
    const stop = new AbortController();
    const reading = sensor.read(stop.signal);
    stop.abort(new Error("stopped"));
    await expect(letPass(reading)).rejects.toThrow("stopped");
  });
});

describe.each(named(active.filter(({ port }) => port === "files")))("%s in the kernel's files", (_name, driver) => {
  const world = simulatedWorld(new FakeClock());
  const tree = simulatedTrees[driver.name]?.(world, { id: "it", driver: driver.name }, 0) ?? {};
  const contents = Object.entries(tree).filter(([, content]) => !(typeof content === "object" && "link" in content));

  test.each(["", "garbage", "NaN", "-", "999999999999999999999", "\u0000"])(
    "gives a fault or a finite number, never NaN, where every file holds %j",
    async (text) => {
      const { hardware, open, letPass } = bench(driver);
      const sensor = await letPass(open());
      for (const [path] of contents) hardware.files.put({ [path]: text });
      const outcome = await letPass(sensor.read(never)).catch((error: unknown) => error);
      if (isGatewayError(outcome)) expect(["CHECKSUM", "BAD_VALUE"]).toContain(outcome.code);
      else expectNoNaN(outcome as Sample);
    },
  );

  test("is absent, not a value, once the kernel shows it no more", async () => {
    const { hardware, open, letPass } = bench(driver);
    const sensor = await letPass(open());
    for (const path of Object.keys(tree)) hardware.files.remove(path);
    // The machine itself does not go away; it only has less to say.
    if (driver.name === "host") return;
    await expect(letPass(sensor.read(never))).rejects.toSatisfy(isAbsence);
    await expect(letPass(open())).rejects.toSatisfy(isAbsence);
  });

  test("is what scan finds, with options that it accepts", async () => {
    const { hardware } = bench(driver);
    const found = (driver.port === "files" && (await driver.find?.(hardware.files))) || [];
    expect(found).toHaveLength(1);
    for (const { options } of found) expect(z.strictObject(driver.options).safeParse(options).error).toBeUndefined();
  });
});

describe.each(named(drivers.filter(({ port }) => port === "planned")))("%s, which is planned", (_name, driver) => {
  test("has its options checked today", () => {
    const schema = z.strictObject(driver.options);
    expect(schema.safeParse(optionsOf(driver)).error).toBeUndefined();
    expect(schema.safeParse({ ...optionsOf(driver), pin: 99 }).success).toBe(false);
  });
});
