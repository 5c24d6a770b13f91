import { describe, expect, test } from "vitest";
import type { Value } from "../../src/core/reading.ts";
import { digitalInput } from "../../src/drivers/digital-input.ts";
import { openGpiod } from "../../src/hardware/linux/gpiod.ts";
import { FakeGpiod } from "../fakes/gpiod.ts";
import { bench } from "./bench.ts";

const PIN = 17;
const never = new AbortController().signal;

async function watched(written: Readonly<Record<string, unknown>> = {}) {
  const { clock, hardware, open } = bench(digitalInput, { pin: PIN, ...written });
  const gpio = await hardware.gpio();
  gpio.drive(PIN, 0);
  const sensor = await open();
  const states: [number, Value | undefined][] = [];
  const startMs = clock.monoMs();
  sensor.watch?.(({ values }) => states.push([clock.monoMs() - startMs, values.state]));
  return { clock, gpio, sensor, states };
}

describe("a contact", () => {
  test("answers a read with its level", async () => {
    const { gpio, sensor } = await watched();
    expect(await sensor.read(never)).toEqual({ values: { state: false } });
    gpio.drive(PIN, 1);
    expect(await sensor.read(never)).toEqual({ values: { state: true } });
  });

  test("inverted is on at the low level", async () => {
    const { sensor } = await watched({ invert: true });
    expect(await sensor.read(never)).toEqual({ values: { state: true } });
  });

  test("tells each change as it happens", async () => {
    const { clock, gpio, states } = await watched();
    await clock.advance(30);
    gpio.drive(PIN, 1);
    await clock.advance(30);
    gpio.drive(PIN, 0);
    expect(states).toEqual([
      [30, true],
      [60, false],
    ]);
  });

  test("can be opened again after it was closed", async () => {
    const { gpio, sensor } = await watched();
    await sensor.close?.();
    await expect(gpio.input(PIN)).resolves.toBeDefined();
  });
});

describe("a contact that bounces", () => {
  async function bounce(
    gpio: { drive(pin: number, level: 0 | 1): void },
    clock: { advance(ms: number): Promise<void> },
  ) {
    for (const level of [1, 0, 1, 0, 1] as const) {
      gpio.drive(PIN, level);
      await clock.advance(5);
    }
  }

  test("tells one change, once it is quiet", async () => {
    const { clock, gpio, sensor, states } = await watched({ debounce: "50ms" });
    await sensor.read(never);
    await bounce(gpio, clock);
    await clock.advance(44);
    expect(states).toEqual([]);
    await clock.advance(100);
    expect(states).toEqual([[70, true]]);
  });

  test("answers a read with the last quiet level meanwhile", async () => {
    const { clock, gpio, sensor } = await watched({ debounce: "50ms" });
    await sensor.read(never);
    gpio.drive(PIN, 1);
    await clock.advance(10);
    expect(await sensor.read(never)).toEqual({ values: { state: false } });
    await clock.advance(100);
    expect(await sensor.read(never)).toEqual({ values: { state: true } });
  });

  test("back at the old level tells nothing", async () => {
    const { clock, gpio, sensor, states } = await watched({ debounce: "50ms" });
    await sensor.read(never);
    gpio.drive(PIN, 1);
    await clock.advance(10);
    gpio.drive(PIN, 0);
    await clock.advance(200);
    expect(states).toEqual([]);
  });

  test("keeps one sleeper, however fast the edges come, and none once it is closed", async () => {
    const { clock, gpio, sensor } = await watched({ debounce: "50ms" });
    await clock.advance(0);
    const quiet = clock.sleeping;
    for (let edge = 1; edge <= 100; edge++) gpio.drive(PIN, (edge % 2) as 0 | 1);
    await clock.advance(0);
    expect(clock.sleeping).toBe(quiet + 1);
    await sensor.close?.();
    expect(clock.sleeping).toBe(0);
  });
});

describe("a detector with a hold", () => {
  async function detector() {
    const it = await watched({ hold: "30s" });
    await it.sensor.read(never);
    return it;
  }

  test("is on at once, and off only after the pin was off for that long", async () => {
    const { clock, gpio, sensor, states } = await detector();
    gpio.drive(PIN, 1);
    await clock.advance(1000);
    gpio.drive(PIN, 0);
    await clock.advance(29_000);
    expect(await sensor.read(never)).toEqual({ values: { state: true } });
    await clock.advance(2000);
    expect(states).toEqual([
      [0, true],
      [31_000, false],
    ]);
  });

  test("that triggers again meanwhile stays on, without a word", async () => {
    const { clock, gpio, states } = await detector();
    for (let trigger = 0; trigger < 5; trigger++) {
      gpio.drive(PIN, 1);
      await clock.advance(1000);
      gpio.drive(PIN, 0);
      await clock.advance(20_000);
    }
    expect(states).toEqual([[0, true]]);
  });

  test("that bounces before it is on is on after its debounce, not after its hold", async () => {
    const { clock, gpio, sensor, states } = await watched({ hold: "30s", debounce: "50ms" });
    await sensor.read(never);
    for (const level of [1, 0, 1] as const) {
      gpio.drive(PIN, level);
      await clock.advance(10);
    }
    await clock.advance(100);
    expect(states).toEqual([[70, true]]);
  });
});

test("a pull resistor that is asked for is asked of the port", async () => {
  const { clock, context } = bench(digitalInput, { pin: PIN });
  const tools = new FakeGpiod(2, clock);
  await using gpio = await openGpiod({ clock, tools });
  const options = { pin: PIN, pull: "up", invert: true, debounce: 0, hold: 0 };
  if (digitalInput.port === "gpio") await digitalInput.open(gpio, options, context);
  expect(tools.bias(PIN)).toBe("pull-up");
});
