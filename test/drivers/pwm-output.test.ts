import { describe, expect, test } from "vitest";
import type { Command } from "../../src/core/command.ts";
import type { Sensor } from "../../src/drivers/driver.ts";
import { pwmOutput } from "../../src/drivers/pwm-output.ts";
import { bench } from "./bench.ts";

const PIN = 18;
const never = new AbortController().signal;

async function dimmer(written: Readonly<Record<string, unknown>> = {}) {
  const { clock, hardware, open } = bench(pwmOutput, { pin: PIN, ...written });
  const pwm = await hardware.pwm();
  const sensor = (await open()) as Required<Sensor>;
  const told: unknown[] = [];
  sensor.watch(({ values }) => told.push(values.level));
  const command = (asked: Command) => sensor.command("level", asked);
  return { clock, command, given: () => pwm.given(PIN), open, sensor, told };
}

describe("a dimmer", () => {
  test("is at its safe level from the first moment, goes where it is told, and tells what was read back", async () => {
    const { command, given, sensor, told } = await dimmer();
    expect([given(), await sensor.read(never)]).toEqual([0, { values: { level: 0 } }]);
    await command({ value: 42.5 });
    await command({ value: 1, on: true });
    await command({ value: 100 });
    expect([given(), told]).toEqual([1, [42.5, 1, 100]]);
  });

  test("is turned on as it was before it was turned off, and fully at first", async () => {
    const { command, told } = await dimmer();
    await command({ on: true });
    await command({ value: 30 });
    await command({ on: "toggle" });
    await command({ on: "toggle" });
    await command({ on: false });
    await command({ on: true });
    expect(told).toEqual([100, 30, 0, 30, 0, 30]);
  });

  test.each([{ value: -1 }, { value: 100.1 }, { value: Number.NaN }, {}])("refuses %j", async (command) => {
    const { given, sensor } = await dimmer();
    await expect(sensor.command("level", command)).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    expect(given()).toBe(0);
  });

  test("inverted is fully on where the pin is low", async () => {
    const { command, given, sensor } = await dimmer({ invert: true });
    expect(given()).toBe(1);
    await command({ value: 80 });
    expect(given()).toBeCloseTo(0.2, 9);
    expect(await sensor.read(never)).toEqual({ values: { level: 80 } });
  });

  test("is back at its safe level after the command's time, and after `max_on`, at whatever levels it was meanwhile", async () => {
    const { clock, command, told } = await dimmer({ safe_level: 10, max_on: "60s" });
    await command({ value: 50, forMs: 5000 });
    await clock.advance(6000);
    expect(told).toEqual([50, 10]);
    for (const value of [20, 40, 60]) {
      await command({ value });
      await clock.advance(19_000);
    }
    await clock.advance(3000);
    expect(told.slice(2)).toEqual([20, 40, 60, 10]);
  });

  test("is safe again when no controller was heard for `failsafe_after`", async () => {
    const { clock, command, told } = await dimmer({ failsafe_after: "10s" });
    await command({ value: 70 });
    await clock.advance(9000);
    expect(told).toEqual([70]);
    await clock.advance(2000);
    expect(told).toEqual([70, 0]);
  });

  test("is restored at a start where it is to be, and safe at a stop unless it is to be held", async () => {
    const { command, given, open, sensor } = await dimmer({ at_start: "restore", safe_level: 5 });
    await command({ value: 33 });
    await sensor.close();
    expect(given()).toBe(0.05);
    const again = await open();
    expect(given()).toBe(0.33);
    await again.close?.();
    const held = await dimmer({ at_stop: "hold" });
    await held.command({ value: 44 });
    await held.sensor.close();
    expect(held.given()).toBe(0.44);
  });
});
