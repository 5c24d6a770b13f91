import { describe, expect, test } from "vitest";
import { z } from "zod";
import { button } from "../../src/drivers/button.ts";
import type { DriverContext, Sensor } from "../../src/drivers/driver.ts";
import type { Edge, Gpio, Level } from "../../src/hardware/gpio.ts";
import { FakeClock } from "../fakes/clock.ts";
import { bench } from "./bench.ts";

const PIN = 16;
const never = new AbortController().signal;

async function pressable(written: Readonly<Record<string, unknown>> = {}, rest: Level = 0) {
  const { clock, hardware, open } = bench(button, { pin: PIN, ...written });
  const gpio = await hardware.gpio();
  gpio.drive(PIN, rest);
  const sensor = await open();
  const startMs = clock.monoMs();
  const events: [number, string][] = [];
  const levels: unknown[] = [];
  sensor.onEvent?.(({ channel, type }) => events.push([clock.monoMs() - startMs, `${channel} ${type}`]));
  sensor.watch?.(({ values }) => levels.push(values.pressed));
  const hold = async (level: Level, ms: number) => {
    gpio.drive(PIN, level);
    await clock.advance(ms);
  };
  /** Down for so long, then up for so long. */
  const press = async (downMs: number, upMs: number) => {
    await hold(rest === 1 ? 0 : 1, downMs);
    await hold(rest, upMs);
  };
  return { clock, events, gpio, hold, levels, press, sensor };
}

describe("a button", () => {
  test("that is pressed once tells `single` when no second press came", async () => {
    const { events, press } = await pressable();
    await press(100, 1000);
    expect(events).toEqual([[410, "press single"]]);
  });

  test("that is pressed twice tells `double` as the second press begins, and nothing else", async () => {
    const { events, press } = await pressable();
    await press(100, 150);
    await press(100, 1000);
    expect(events).toEqual([[280, "press double"]]);
  });

  test("that is held tells `long` while it is held, and nothing when it is released", async () => {
    const { events, press } = await pressable();
    await press(3000, 1000);
    expect(events).toEqual([[810, "press long"]]);
  });

  test("that is pressed twice with a pause tells two single ones", async () => {
    const { events, press } = await pressable();
    await press(100, 350);
    await press(100, 1000);
    expect(events.map(([, type]) => type)).toEqual(["press single", "press single"]);
  });

  test("that is pressed three times tells a double and a single one", async () => {
    const { events, press } = await pressable();
    for (let count = 0; count < 3; count++) await press(80, count < 2 ? 100 : 1000);
    expect(events.map(([, type]) => type)).toEqual(["press double", "press single"]);
  });

  test("whose second press is held tells `double`, and not `long` too", async () => {
    const { events, press } = await pressable();
    await press(100, 100);
    await press(3000, 1000);
    expect(events.map(([, type]) => type)).toEqual(["press double"]);
  });

  test("without double presses tells `single` at its release", async () => {
    const { events, press } = await pressable({ double_press: "0" });
    await press(100, 100);
    await press(100, 1000);
    expect(events).toEqual([
      [130, "press single"],
      [330, "press single"],
    ]);
  });

  test("has times of its own", async () => {
    const { events, press } = await pressable({ long_press: "200ms", double_press: "1s" });
    await press(250, 2000);
    await press(150, 900);
    await press(150, 2000);
    expect(events.map(([, type]) => type)).toEqual(["press long", "press double"]);
  });

  test("inverted is pressed at the low level", async () => {
    const { events, press, sensor } = await pressable({ invert: true }, 1);
    expect(await sensor.read(never)).toEqual({ values: { pressed: false } });
    await press(100, 1000);
    expect(events.map(([, type]) => type)).toEqual(["press single"]);
  });

  test("sends its level as it changes", async () => {
    const { hold, levels, press, sensor } = await pressable();
    await press(100, 1000);
    expect(levels).toEqual([true, false]);
    await hold(1, 100);
    expect(await sensor.read(never)).toEqual({ values: { pressed: true } });
  });

  test("that is held while the gateway starts tells nothing of that press", async () => {
    const { events, hold, press } = await pressable({ invert: true }, 0);
    await hold(0, 5000);
    await hold(1, 1000);
    expect(events).toEqual([]);
    await press(1000, 0);
    await hold(0, 50);
    await hold(1, 1000);
    expect(events.map(([, type]) => type)).toEqual(["press single"]);
  });

  test("tells nothing once it is closed, and leaves nobody sleeping", async () => {
    const { clock, events, hold, sensor } = await pressable();
    await hold(1, 100);
    await sensor.close?.();
    expect(clock.sleeping).toBe(0);
    await clock.advance(2000);
    expect(events).toEqual([]);
  });
});

describe("a button that bounces", () => {
  test("is pressed once", async () => {
    const { events, hold, levels } = await pressable();
    for (const level of [1, 0, 1, 0, 1] as const) await hold(level, 5);
    await hold(1, 100);
    for (const level of [0, 1, 0, 1, 0] as const) await hold(level, 5);
    await hold(0, 1000);
    expect(events.map(([, type]) => type)).toEqual(["press single"]);
    expect(levels).toEqual([true, false]);
  });

  test("at the end of a long hold is a long press all the same", async () => {
    const { events, hold } = await pressable();
    await hold(1, 795);
    await hold(0, 4);
    expect(events).toEqual([]);
    await hold(1, 500);
    await hold(0, 1000);
    expect(events.map(([, type]) => type)).toEqual(["press long"]);
  });

  test("is a spike, and no press, when it is shorter than the debounce time", async () => {
    const { events, hold, levels } = await pressable();
    await hold(1, 10);
    await hold(0, 2000);
    expect([events, levels]).toEqual([[], []]);
  });
});

/** A pin whose edges the test hands over itself, and a clock whose sleepers wake late when the process is held up. */
async function heldUp() {
  const clock = new FakeClock({ monoMs: 10_000 });
  let hear: (edge: Edge) => void = () => undefined;
  let level: Level = 0;
  const input = {
    pin: PIN,
    losses: 0,
    level: async () => level,
    onEdge: (listener: typeof hear) => {
      hear = listener;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const gpio = { name: "late", input: async () => input } as unknown as Gpio;
  const context: DriverContext = { clock, memory: { load: () => undefined, save: () => undefined } };
  const options = z.strictObject(button.options).parse({ pin: PIN });
  const sensor = (await (button.port === "gpio" && button.open(gpio, options, context))) as Sensor;
  const events: string[] = [];
  sensor.onEvent?.(({ type }) => events.push(type));
  const edge = (newest: Level, monoMs: number) => {
    level = newest;
    hear({ level: newest, monoMs });
  };
  return { clock, edge, events, sensor, setLevel: (newest: Level) => (level = newest) };
}

describe("a process that was held up", () => {
  test("hears of a press and its release at once, and tells a single one", async () => {
    const { clock, edge, events } = await heldUp();
    await clock.advance(2000);
    edge(1, 10_500);
    edge(0, 10_600);
    await clock.advance(1000);
    expect(events).toEqual(["single"]);
  });

  test("hears of a whole double press, and of a long one, by the kernel's times", async () => {
    const { clock, edge, events } = await heldUp();
    await clock.advance(10_000);
    edge(1, 10_500);
    edge(0, 10_600);
    edge(1, 10_700);
    edge(0, 10_800);
    edge(1, 12_000);
    edge(0, 13_000);
    await clock.advance(1000);
    expect(events).toEqual(["double", "long"]);
  });

  test("whose timer comes before the release that it has not heard yet tells no long press", async () => {
    const { clock, edge, events } = await heldUp();
    edge(1, clock.monoMs());
    await clock.advance(100);
    // Nobody is woken while it stands still: the sleeper is late, and the edge is heard a moment later.
    const sleep = clock.sleep.bind(clock);
    const releaseMs = clock.monoMs() + 50;
    let isStill = true;
    clock.sleep = async (ms, signal) => {
      await sleep(isStill ? ms + 3000 : ms, signal);
    };
    edge(1, clock.monoMs());
    await clock.advance(2000);
    isStill = false;
    const waited = clock.advance(2000);
    await new Promise(setImmediate);
    edge(0, releaseMs);
    await waited;
    expect(events).toEqual(["single"]);
  });

  test("that missed an edge sees at the next read that the button is up again", async () => {
    const { clock, edge, events, sensor, setLevel } = await heldUp();
    edge(1, clock.monoMs());
    await clock.advance(2000);
    expect(await sensor.read(never)).toEqual({ values: { pressed: true } });
    setLevel(0);
    await sensor.read(never);
    await clock.advance(1000);
    expect(await sensor.read(never)).toEqual({ values: { pressed: false } });
    expect(events).toEqual(["long"]);
  });
});
