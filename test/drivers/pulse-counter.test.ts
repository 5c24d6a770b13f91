import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Sensor } from "../../src/drivers/driver.ts";
import { pulseCounter } from "../../src/drivers/pulse-counter.ts";
import type { Gpio, Level } from "../../src/hardware/gpio.ts";
import { openGpiod } from "../../src/hardware/linux/gpiod.ts";
import { FakeGpiod } from "../fakes/gpiod.ts";
import { bench } from "./bench.ts";

const PIN = 27;
const never = new AbortController().signal;

/** The counter over an imitation of libgpiod, which stamps edges as the kernel does. */
async function counter(written: Readonly<Record<string, unknown>> = {}) {
  const { clock, context } = bench(pulseCounter, { pin: PIN });
  const tools = new FakeGpiod(1, clock);
  const options = { pin: PIN, per_pulse: 1, debounce: 5, invert: false, ...written };
  const open = async (): Promise<Sensor> => {
    const gpio: Gpio = await openGpiod({ clock, tools, kernelNowMs: tools.kernelNowMs });
    if (pulseCounter.port !== "gpio") throw new Error("the driver needs a pin");
    return await pulseCounter.open(gpio, options, context);
  };
  const pulse = async (onMs = 50, offMs = 50) => {
    tools.drive(PIN, 1);
    await clock.advance(onMs);
    tools.drive(PIN, 0);
    await clock.advance(offMs);
  };
  return { clock, context, tools, options, open, pulse, sensor: await open() };
}

const valuesOf = async (sensor: Sensor) => (await sensor.read(never)).values;

describe("a meter", () => {
  test("counts pulses, in its unit, exactly also after thousands", async () => {
    const { sensor, pulse } = await counter({ per_pulse: 0.1, unit: "L" });
    for (let count = 0; count < 3000; count++) await pulse(10, 10);
    expect((await valuesOf(sensor)).total).toBe(300);
  });

  test("counts falling edges where it is inverted", async () => {
    const { sensor, tools } = await counter({ invert: true });
    tools.drive(PIN, 1);
    expect((await valuesOf(sensor)).total).toBe(0);
  });

  test("tells its rate from the time between pulses, whatever the interval", async () => {
    const { clock, sensor, pulse } = await counter({ per_pulse: 0.5, unit: "L" });
    for (let count = 0; count < 13; count++) await pulse(100, 400);
    await clock.advance(123);
    expect((await valuesOf(sensor)).rate).toBeCloseTo(60, 6);
  });

  test("tells a rate that fades while no pulse comes, and 0 before the first", async () => {
    const { clock, sensor, pulse } = await counter();
    expect((await valuesOf(sensor)).rate).toBe(0);
    for (let count = 0; count < 3; count++) await pulse(100, 900);
    expect((await valuesOf(sensor)).rate).toBeCloseTo(1, 6);
    await clock.advance(9000);
    expect((await valuesOf(sensor)).rate).toBeCloseTo(0.1, 6);
    await clock.advance(90_000);
    expect((await valuesOf(sensor)).rate).toBeCloseTo(0.01, 6);
  });
});

describe("a contact that bounces", () => {
  test("counts once, when it closes and when it opens", async () => {
    const { clock, sensor, tools } = await counter();
    const bounce = async (last: Level) => {
      for (let turn = 0; turn < 4; turn++) {
        tools.drive(PIN, last === 1 ? 0 : 1);
        await clock.advance(0.3);
        tools.drive(PIN, last);
        await clock.advance(0.3);
      }
    };
    tools.drive(PIN, 1);
    await bounce(1);
    await clock.advance(80);
    await bounce(0);
    await clock.advance(80);
    expect((await valuesOf(sensor)).total).toBe(1);
  });

  test("is told from a pulse by the edges' own time, though they arrive together", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }), async (gaps) => {
        const { clock, sensor, tools } = await counter();
        let level: Level = 0;
        let expected = 0;
        await clock.advance(100);
        for (const [index, gapMs] of [100, ...gaps].entries()) {
          await clock.advance(gapMs);
          level = level === 1 ? 0 : 1;
          tools.drive(PIN, level);
          if (level === 1 && (index === 0 || gapMs >= 5)) expected++;
        }
        expect((await valuesOf(sensor)).total).toBe(expected);
        await sensor.close?.();
      }),
      { numRuns: 40 },
    );
  });
});

describe("the total", () => {
  test("goes on after a restart, and after a kill at any moment misses at most a second", async () => {
    const { clock, context, open, pulse, sensor } = await counter({ per_pulse: 2 });
    for (let count = 0; count < 40; count++) await pulse();
    const killed = JSON.parse(context.memory.load() ?? "{}");
    expect(killed.pulses).toBeGreaterThanOrEqual(30);
    await sensor.close?.();
    await clock.advance(10);
    expect((await valuesOf(await open())).total).toBe(80);
  });

  test("of a slow meter is kept with each pulse", async () => {
    const { clock, context, pulse } = await counter();
    for (let count = 1; count <= 3; count++) {
      await pulse();
      expect(JSON.parse(context.memory.load() ?? "{}").pulses).toBe(count);
      await clock.advance(60_000);
    }
  });

  test("is set from the meter, and counts on from there", async () => {
    const { sensor, pulse, open } = await counter({ per_pulse: 0.5, unit: "L" });
    await pulse();
    await sensor.command?.("total", { value: 1234.5 });
    await pulse();
    expect((await valuesOf(sensor)).total).toBe(1235);
    await sensor.close?.();
    expect((await valuesOf(await open())).total).toBe(1235);
  });

  test("tells the total that was set at once", async () => {
    const { sensor } = await counter();
    const told: unknown[] = [];
    sensor.watch?.(({ values }) => told.push(values.total));
    await sensor.command?.("total", { value: 0, on: false });
    await sensor.command?.("total", { value: 12 });
    expect(told).toEqual([0, 12]);
  });

  test.each([
    { on: true },
    { value: -1 },
    { value: Number.NaN },
    { value: Number.POSITIVE_INFINITY },
    { value: 2 ** 60 },
    { value: 5, forMs: 1000 },
  ])("is set to a reading of a meter, for good, and to nothing else: not %j", async (command) => {
    const { sensor } = await counter();
    await expect(sensor.command?.("total", command)).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    expect((await valuesOf(sensor)).total).toBe(0);
  });

  test("keeps what was counted when a pulse comes to stand for something else, and begins anew in another unit", async () => {
    const { sensor, pulse, open, options } = await counter({ per_pulse: 2, unit: "L" });
    await pulse();
    await sensor.close?.();
    options.per_pulse = 5;
    const again = await open();
    await pulse();
    expect((await valuesOf(again)).total).toBe(7);
    await again.close?.();
    Object.assign(options, { unit: "m³" });
    expect((await valuesOf(await open())).total).toBe(0);
  });

  test.each(["", "nonsense", '{"pulses":-1}'])("begins at 0 where what was kept is %j", async (text) => {
    const { context, open, sensor } = await counter();
    await sensor.close?.();
    context.memory.save(text);
    expect((await valuesOf(await open())).total).toBe(0);
  });
});

describe("a loss", () => {
  test("seen as two edges to one level is counted, and makes the total an estimate until it is set from the meter", async () => {
    const { clock, sensor, tools, pulse } = await counter();
    await pulse();
    tools.drive(PIN, 1);
    await clock.advance(50);
    tools.loseEdge(PIN);
    await clock.advance(50);
    tools.drive(PIN, 1);
    expect(await sensor.read(never)).toMatchObject({
      values: { total: 3, losses: 1 },
      quality: { total: "estimated" },
    });
    expect(sensor.faults?.()).toMatchObject([{ code: "EDGES_LOST", channel: "total" }]);
    await sensor.command?.("total", { value: 3 });
    expect((await sensor.read(never)).quality).toBeUndefined();
    expect(sensor.faults?.()).toEqual([]);
  });

  test("of the edge that counts is made up for by one", async () => {
    const { clock, sensor, tools, pulse } = await counter();
    await pulse();
    tools.loseEdge(PIN);
    await clock.advance(50);
    tools.drive(PIN, 0);
    expect((await valuesOf(sensor)).total).toBe(2);
  });

  test("by a dead helper is counted, and a pin that nobody watches is a fault, not a meter at rest", async () => {
    const { clock, sensor, tools, pulse } = await counter();
    await pulse();
    tools.kill(PIN);
    await clock.advance(1);
    await expect(sensor.read(never)).rejects.toMatchObject({ code: "FILE_IO" });
    await clock.advance(1000);
    expect(await sensor.read(never)).toMatchObject({
      values: { total: 1, losses: 1 },
      quality: { total: "estimated" },
    });
  });
});
