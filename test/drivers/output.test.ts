import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import type { AfterDeath, DriverContext, Sensor } from "../../src/drivers/driver.ts";
import { Interlocks } from "../../src/drivers/interlock.ts";
import { type Driven, initialState, type OutputOptions, outputSensor, switched } from "../../src/drivers/output.ts";
import type { FileWrite } from "../../src/hardware/files.ts";
import { FakeClock } from "../fakes/clock.ts";

const never = new AbortController().signal;

/** A relay that can fail, and what was done to it. */
class Relay implements Driven<boolean> {
  readonly done: string[] = [];
  isOn = false;
  fault: GatewayError | undefined;

  async set(on: boolean): Promise<void> {
    if (this.fault) throw this.fault;
    this.isOn = on;
    this.done.push(on ? "on" : "off");
  }

  byFile?: (on: boolean) => FileWrite;
  get = async () => this.isOn;
  release = async () => void this.done.push("released");
}

function world() {
  const clock = new FakeClock();
  const interlocks = new Interlocks();
  const kept = new Map<string, string>();
  const news: string[] = [];
  const todo = new Map<string, AfterDeath>();
  let controllerSeenMs = 0;
  const contextOf = (id: string): DriverContext => ({
    clock,
    memory: { load: () => kept.get(id), save: (text) => void kept.set(id, text) },
    outputs: {
      interlocks,
      controllerSeenMs: () => controllerSeenMs,
      switched: (on, cause) => void news.push(`${id} ${on ? "on" : "off"}: ${cause}`),
      ifKilled: (what) => void todo.set(id, what),
    },
  });
  const output = (id: string, options: Partial<OutputOptions<boolean>> = {}) => {
    const relay = new Relay();
    if (id !== "expander") relay.byFile = (on) => ({ path: `/sys/${id}`, text: on ? "1" : "0" });
    const facts: OutputOptions<boolean> = { safe: false, minOnMs: 0, minOffMs: 0, atStop: "safe", ...options };
    const sensor = outputSensor(switched, relay, facts.safe, facts, contextOf(id)) as Required<Sensor>;
    const samples: unknown[] = [];
    sensor.watch(({ values }) => samples.push(values.state));
    return {
      relay,
      sensor,
      samples,
      command: (on: boolean | "toggle", forMs?: number) => sensor.command("state", { on, ...(forMs && { forMs }) }),
    };
  };
  return {
    clock,
    contextOf,
    news,
    output,
    todo,
    controllerIsThere: () => {
      controllerSeenMs = clock.monoMs();
    },
  };
}

describe("an output device", () => {
  test("is driven when it is commanded, and tells what was read back", async () => {
    const { output } = world();
    const { relay, sensor, samples, command } = output("pump");
    await command(true);
    expect(relay.done).toEqual(["on"]);
    expect(samples).toEqual([true]);
    expect(await sensor.read(never)).toEqual({ values: { state: true } });
    relay.isOn = false;
    expect(await sensor.read(never)).toEqual({ values: { state: false } });
    await command("toggle");
    expect(relay.done).toEqual(["on", "off"]);
  });

  test("tells what would make it safe if the process died, until it is closed: a file to write, else the driver to open", async () => {
    const { output, todo } = world();
    const [pump, valve, alarm] = [output("pump"), output("expander"), output("alarm", { safe: true })];
    output("lamp", { atStop: "hold" });
    await pump.command(true);
    expect(Object.fromEntries(todo)).toEqual({
      pump: { path: "/sys/pump", text: "0" },
      expander: "open",
      alarm: { path: "/sys/alarm", text: "1" },
    });
    await Promise.all([pump.sensor.close(), valve.sensor.close()]);
    alarm.relay.fault = new GatewayError("FILE_IO", "it sticks");
    await alarm.sensor.close().catch(() => undefined);
    expect(Object.fromEntries(todo)).toEqual({
      pump: "nothing",
      expander: "nothing",
      alarm: { path: "/sys/alarm", text: "1" },
    });
  });

  test("goes back by itself after a pulse, `max_on`, and without a controller, and says why", async () => {
    const { clock, output, news, controllerIsThere } = world();
    const pulse = output("pulse", { onForMs: 500 });
    const most = output("most", { maxOnMs: 2000 });
    const safe = output("safe", { failsafeAfterMs: 5000 });
    for (const { command } of [pulse, most, safe]) await command(true);
    await clock.advance(500);
    expect(pulse.relay.isOn).toBe(false);
    await clock.advance(1500);
    expect(most.relay.isOn).toBe(false);
    controllerIsThere();
    await clock.advance(4999);
    expect(safe.relay.isOn).toBe(true);
    await clock.advance(1);
    expect(safe.relay.isOn).toBe(false);
    expect(news).toEqual(["pulse off: pulse over", "most off: max_on", "safe off: failsafe"]);
    expect(clock.sleeping).toBe(0);
  });

  test("of a group is on alone: the other goes off first, after its rest", async () => {
    const { clock, output } = world();
    const up = output("up", { interlock: "blind", minOnMs: 1000 });
    const down = output("down", { interlock: "blind" });
    await up.command(true);
    await down.command(true);
    expect([up.relay.isOn, down.relay.isOn]).toEqual([true, false]);
    await clock.advance(1000);
    expect([up.relay.isOn, down.relay.isOn]).toEqual([false, true]);
    await up.command(true);
    await clock.advance(0);
    expect([up.relay.isOn, down.relay.isOn]).toEqual([true, false]);
  });

  test("whose switch fails tells so, and tries until it works", async () => {
    const { clock, output } = world();
    const { relay, sensor, samples, command } = output("pump");
    relay.fault = new GatewayError("FILE_IO", "the expander does not answer");
    await expect(command(true)).rejects.toMatchObject({ code: "FILE_IO" });
    await expect(sensor.read(never)).rejects.toMatchObject({ code: "FILE_IO" });
    relay.fault = undefined;
    await clock.advance(1000);
    expect(samples).toEqual([true]);
    expect(await sensor.read(never)).toEqual({ values: { state: true } });
  });

  test.each([
    ["safe", ["on", "off", "released"]],
    ["hold", ["on", "released"]],
  ] as const)("at a stop with `at_stop: %s`", async (atStop, done) => {
    const { clock, output } = world();
    const { relay, sensor, command } = output("pump", { atStop, maxOnMs: 10_000 });
    await command(true);
    await sensor.close();
    expect(relay.done).toEqual(done);
    await clock.advance(20_000);
    expect(relay.done).toEqual(done);
  });

  test("begins safe, or as it was commanded last", async () => {
    const { contextOf, output } = world();
    const context = contextOf("pump");
    expect(initialState(switched, "restore", false, context)).toBe(false);
    await output("pump").command(true);
    expect(initialState(switched, "restore", false, context)).toBe(true);
    expect(initialState(switched, "safe", false, context)).toBe(false);
  });
});
