import { describe, expect, test } from "vitest";
import type { Values } from "../../src/core/reading.ts";
import { rotaryEncoder } from "../../src/drivers/rotary-encoder.ts";
import type { Gpio, GpioInput, Level } from "../../src/hardware/gpio.ts";
import { bench } from "./bench.ts";

const A = 5;
const B = 6;
const never = new AbortController().signal;
/** Levels of A and B over one period, where A leads. */
const period: readonly (readonly [Level, Level])[] = [
  [1, 0],
  [1, 1],
  [0, 1],
  [0, 0],
];

async function knob(written: Readonly<Record<string, unknown>> = {}) {
  const { clock, hardware, open } = bench(rotaryEncoder, { pin: A, pin_b: B, ...written });
  const gpio = await hardware.gpio();
  const show = ([a, b]: readonly [Level, Level]) => {
    gpio.drive(A, a);
    gpio.drive(B, b);
  };
  show([0, 0]);
  const sensor = await open();
  const told: Values[] = [];
  sensor.watch?.(({ values }) => told.push(values));
  const turn = async (periods: number) => {
    const once = periods > 0 ? period : [...period.slice(0, 3).reverse(), period[3]!];
    for (let count = 0; count < Math.abs(periods); count++) {
      for (const levels of once) {
        show(levels);
        await clock.advance(5);
      }
    }
    await clock.advance(60);
  };
  return { clock, hardware, sensor, show, told, turn };
}

describe("a rotary encoder", () => {
  test("counts up where A leads, and down where B does, below 0 too", async () => {
    const { sensor, turn } = await knob();
    await turn(3);
    expect((await sensor.read(never)).values.position).toBe(3);
    await turn(-5);
    expect((await sensor.read(never)).values).toEqual({ position: -2, losses: 0 });
  });

  test.each([
    [1, 12],
    [2, 6],
    [4, 3],
  ])("counts by %d steps: three periods are %d", async (steps, position) => {
    const { sensor, turn } = await knob({ steps_per_detent: steps });
    await turn(3);
    expect((await sensor.read(never)).values.position).toBe(position);
  });

  test("tells its position as it changes, at most once in 50 ms", async () => {
    const { told, turn } = await knob();
    await turn(20);
    expect(told.at(-1)).toEqual({ position: 20, losses: 0 });
    expect(told.length).toBeGreaterThan(3);
    expect(told.length).toBeLessThanOrEqual(9);
  });

  test("that bounces stays where it is", async () => {
    const { clock, sensor, show } = await knob({ steps_per_detent: 1 });
    for (let bounce = 0; bounce < 5; bounce++) {
      show([1, 0]);
      await clock.advance(1);
      show([0, 0]);
      await clock.advance(1);
    }
    await clock.advance(60);
    expect((await sensor.read(never)).values).toEqual({ position: 0, losses: 0 });
  });

  test("gives both pins back, also where the second cannot be had", async () => {
    const { hardware, sensor } = await knob();
    await sensor.close?.();
    const gpio = await hardware.gpio();
    await using _b = await gpio.input(B);
    const options = { pin: A, pin_b: B, steps_per_detent: 4 };
    const { context } = bench(rotaryEncoder, { pin: A, pin_b: B });
    if (rotaryEncoder.port !== "gpio") throw new Error("the driver needs pins");
    await expect(rotaryEncoder.open(gpio, options, context)).rejects.toMatchObject({ code: "PIN_BUSY" });
    await using a = await gpio.input(A);
    expect(a.pin).toBe(A);
  });
});

describe("edges that arrive out of order", () => {
  /** Pins whose edges are told when the test says so, with the time that it says. */
  function pins() {
    const listeners = new Map<number, (edge: { level: Level; monoMs: number }) => void>();
    const input = async (pin: number): Promise<GpioInput> => ({
      pin,
      losses: 0,
      level: async () => 0,
      onEdge: (listener) => listeners.set(pin, listener),
      [Symbol.asyncDispose]: async () => undefined,
    });
    const output = () => Promise.reject(new Error("no outputs here"));
    const gpio: Gpio = { name: "test", input, output, [Symbol.asyncDispose]: async () => undefined };
    return { gpio, tell: (pin: number, level: Level, monoMs: number) => listeners.get(pin)?.({ level, monoMs }) };
  }

  async function told(edges: readonly (readonly [pin: number, level: Level, monoMs: number])[]) {
    const { clock, context } = bench(rotaryEncoder, { pin: A, pin_b: B });
    const { gpio, tell } = pins();
    if (rotaryEncoder.port !== "gpio") throw new Error("the driver needs pins");
    const sensor = await rotaryEncoder.open(gpio, { pin: A, pin_b: B, steps_per_detent: 1 }, context);
    for (const edge of edges) tell(...edge);
    await clock.advance(60);
    return (await sensor.read(never)).values;
  }

  test("are put in the order of the kernel's time", async () => {
    const values = await told([
      [A, 1, 10],
      [A, 0, 30],
      [B, 1, 20],
      [B, 0, 40],
    ]);
    expect(values).toEqual({ position: 4, losses: 0 });
  });
});

test("each turn is an event that says which way, and how far", async () => {
  const { sensor, turn } = await knob();
  const events: unknown[] = [];
  sensor.onEvent?.((event) => events.push(event));
  await turn(1);
  await turn(-2);
  const [first, ...back] = events as { type: string; details: { steps: number } }[];
  expect(first).toEqual({ channel: "turn", type: "clockwise", details: { steps: 1 } });
  expect(new Set(back.map(({ type }) => type))).toEqual(new Set(["counterclockwise"]));
  expect(back.reduce((sum, { details }) => sum + details.steps, 0)).toBe(2);
});
