import { describe, expect, test } from "vitest";
import type { DeviceHealth } from "../../src/core/device.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { Sample } from "../../src/core/reading.ts";
import type { Sensor } from "../../src/drivers/driver.ts";
import { channelsOf } from "../../src/drivers/driver.ts";
import { type DeviceSink, runDevice, type SampledDevice } from "../../src/sampling/device-loop.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

const channels = channelsOf({
  temperature: { quantity: "temperature", min: -40, max: 85 },
  pressure: { quantity: "pressure" },
});
const HOUR_MS = 3_600_000;
const nack = () => new GatewayError("BUS_NACK", "no answer at 0x44 on sim");

/** A device on a bench: what it does is a function that the test swaps; `open` is what it does from the start. */
function bench(intervalMs = 10_000, open?: (sensor: Sensor) => Promise<Sensor>) {
  const clock = new FakeClock();
  const log = fakeLog();
  const stop = new AbortController();
  const originMs = clock.monoMs();
  const samples: { atMs: number; sample: Sample }[] = [];
  const healths: DeviceHealth[] = [];
  const events: string[] = [];
  const world = {
    open: async (): Promise<Sensor> => ({
      read: (signal) => world.read(signal),
      close: async () => void world.closed++,
    }),
    read: async (_signal: AbortSignal): Promise<Sample> => ({ values: { temperature: 20 } }),
    opened: 0,
    closed: 0,
  };
  if (open) {
    const { open: opened } = world;
    world.open = async () => await open(await opened());
  }
  const device: SampledDevice = {
    id: "probe",
    intervalMs,
    offlineAfterMs: 3 * intervalMs,
    limits: { stuckAfterMs: { temperature: HOUR_MS, pressure: HOUR_MS }, damagedPercent: 10 },
    deadlineMs: 2_000,
    channels,
    open: () => world.open(),
  };
  const sink: DeviceSink = {
    opened: () => void world.opened++,
    sample: (sample) => void samples.push({ atMs: clock.monoMs() - originMs, sample }),
    event: ({ type }) => void events.push(type),
    health: (health) => void healths.push(health),
  };
  const { ended, command, clearFault } = runDevice(device, sink, { clock, random: () => 0.5, log }, stop.signal);
  return {
    clock,
    log,
    stop,
    samples,
    healths,
    world,
    ended,
    command,
    clearFault,
    events,
    health: () => healths.at(-1),
  };
}

describe("a device that answers", () => {
  test("is read at once and then once a period, without drift", async () => {
    const { clock, samples } = bench();
    await clock.advance(35_000);
    expect(samples.map(({ atMs }) => atMs)).toEqual([0, 10_000, 20_000, 30_000]);
  });

  test("keeps its slots when a read is slow", async () => {
    const { clock, samples, world } = bench();
    world.read = async (signal) => {
      await clock.sleep(1_500, signal);
      return { values: { temperature: 20 } };
    };
    await clock.advance(35_000);
    expect(samples.map(({ atMs }) => atMs)).toEqual([1_500, 11_500, 21_500, 31_500]);
  });

  test("is ok and online after its first value, and not before", async () => {
    const { clock, health } = bench();
    expect(health()).toBeUndefined();
    await clock.advance(1);
    expect(health()).toMatchObject({ state: "ok", online: true });
  });

  test("stops soon after the signal and is closed", async () => {
    const { clock, stop, ended, world } = bench();
    await clock.advance(1);
    stop.abort();
    await ended;
    expect(world.closed).toBe(1);
  });
});

describe("a device that fails", () => {
  test("is tried again within its slot when the fault may pass", async () => {
    const { clock, samples, world, health } = bench();
    let calls = 0;
    world.read = async () => {
      if (++calls === 1) throw nack();
      return { values: { temperature: 21 } };
    };
    await clock.advance(1_000);
    expect(samples).toHaveLength(1);
    expect(health()).toMatchObject({ state: "ok", errors: 0 });
  });

  test("is not tried again within its slot when the fault cannot pass", async () => {
    const { clock, world } = bench();
    let calls = 0;
    world.read = async () => {
      calls++;
      throw new GatewayError("CHIP_MISMATCH", "another chip");
    };
    await clock.advance(5_000);
    expect(calls).toBe(1);
  });

  test("is failing with a reason and still online, until its newest value is too old", async () => {
    const { clock, world, healths, health } = bench();
    await clock.advance(1);
    world.read = async () => {
      throw new GatewayError("CHECKSUM", "word 0 has CRC 0x12");
    };
    await clock.advance(15_000);
    expect(health()).toMatchObject({ state: "failing", online: true, code: "CHECKSUM", reason: "word 0 has CRC 0x12" });
    await clock.advance(30_000);
    expect(health()).toMatchObject({ state: "failing", online: false });
    expect(healths.filter(({ state }) => state === "absent")).toHaveLength(0);
  });

  test("is closed, opened again and identified anew after three failed slots", async () => {
    const { clock, world } = bench();
    world.read = async () => {
      throw nack();
    };
    await clock.advance(40_000);
    expect(world.closed).toBeGreaterThanOrEqual(1);
    expect(world.opened).toBe(world.closed + 1);
  });

  test("that was unplugged is absent and offline, and heals within a minute of being plugged in again", async () => {
    const { clock, world, health, samples } = bench(600_000);
    await clock.advance(1);
    const { open, read } = world;
    world.open = world.read = async () => {
      throw nack();
    };
    await clock.advance(700_000);
    expect(health()).toMatchObject({ state: "absent", online: false, code: "BUS_NACK" });
    const before = samples.length;
    Object.assign(world, { open, read });
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "ok", online: true });
    expect(samples.length).toBeGreaterThan(before);
  });

  test("that never answers is given up at the deadline, and no second read is piled on the one that hangs", async () => {
    const { clock, world, health } = bench();
    let calls = 0;
    world.read = () => {
      calls++;
      return new Promise(() => undefined);
    };
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "failing", code: "DEADLINE" });
    expect(calls).toBe(1);
  });

  test("that hangs while it opens is not opened a second time before the first try has ended", async () => {
    let calls = 0;
    const { clock, health } = bench(10_000, () => {
      calls++;
      return new Promise(() => undefined);
    });
    await clock.advance(300_000);
    expect(health()).toMatchObject({ state: "failing", online: false, code: "DEADLINE" });
    expect(calls).toBe(1);
  });

  test("that cannot be watched is closed and opened again", async () => {
    let broken = true;
    const { clock, world, health, ended } = bench(10_000, async (sensor) => ({
      ...sensor,
      watch() {
        if (broken) throw new GatewayError("FILE_IO", "pin 17 failed (ENODEV)");
      },
    }));
    await clock.advance(10_000);
    expect(health()).toMatchObject({ state: "failing", code: "FILE_IO" });
    expect(world.closed).toBeGreaterThan(1);
    broken = false;
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "ok" });
    await expect(Promise.race([ended, "runs"])).resolves.toBe("runs");
  });

  test("gives no value outside what it can measure, and says why", async () => {
    const { clock, world, samples, health } = bench();
    world.read = async () => ({ values: { temperature: 127.94 } });
    await clock.advance(1);
    expect(samples).toHaveLength(0);
    expect(health()).toMatchObject({ state: "failing", code: "BAD_VALUE" });
    expect(health()?.reason).toContain("temperature = 127.94");
  });

  test("for a bug in its driver says INTERNAL and logs the stack once, and heals when the bug does not strike", async () => {
    const { clock, world, log, health } = bench();
    const { read } = world;
    world.read = async () => {
      throw new TypeError("x is not a function");
    };
    await clock.advance(100_000);
    expect(health()).toMatchObject({ state: "failing", code: "INTERNAL", reason: "x is not a function" });
    const errors = log.lines.filter(({ level }) => level === "error");
    expect(errors).toHaveLength(1);
    expect(errors[0]?.fields.stack).toContain("device-loop.test.ts");
    world.read = read;
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "ok" });
  });

  test("for a driver that reports what is no sample says INTERNAL too", async () => {
    let emit: (sample: Sample) => void = () => undefined;
    const { clock, health, samples } = bench(10_000, async (sensor) => ({
      ...sensor,
      watch(emitted) {
        emit = emitted;
      },
    }));
    await clock.advance(1);
    emit({} as Sample);
    expect(health()).toMatchObject({ state: "failing", code: "INTERNAL" });
    expect(samples).toHaveLength(1);
  });

  test("writes one line a transition, not one a failed read", async () => {
    const { clock, world, log } = bench();
    await clock.advance(1);
    world.read = async () => {
      throw new GatewayError("CHECKSUM", "damaged");
    };
    await clock.advance(100_000);
    expect(log.lines.map(({ message }) => message)).toEqual(["device is ok", "device is failing"]);
  });
});

test("a command that meets a bug of the driver is refused, and one for a device that is not open is, too", async () => {
  const broken = async () => {
    throw new TypeError("undefined is not a function");
  };
  const one = bench(10_000, async (sensor) => ({ ...sensor, command: broken }));
  await expect(one.command("state", { on: true })).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
  await one.clock.advance(100);
  await expect(one.command("state", { on: true })).rejects.toMatchObject({
    code: "COMMAND_REFUSED",
    message: "its driver has a bug: see the log",
  });
  expect(one.health()?.state).toBe("ok");
  one.stop.abort();
  await one.ended;
});

test("a store that throws ends the loop: that is no fault of the device", async () => {
  const clock = new FakeClock();
  const device: SampledDevice = {
    id: "probe",
    intervalMs: 1000,
    offlineAfterMs: 3000,
    limits: { stuckAfterMs: {}, damagedPercent: 10 },
    deadlineMs: 2_000,
    channels,
    open: async () => ({ read: async () => ({ values: { temperature: 20 } }) }),
  };
  const sample = () => {
    throw new Error("the store has a bug");
  };
  const sink: DeviceSink = { opened: () => undefined, event: () => undefined, health: () => undefined, sample };
  const deps = { clock, random: () => 0.5, log: fakeLog() };
  await expect(runDevice(device, sink, deps, new AbortController().signal).ended).rejects.toThrow(
    "the store has a bug",
  );
});

test("an event is handed on as it happens, and none after the stop", async () => {
  let tell: (event: { channel: string; type: string }) => void = () => undefined;
  const one = bench(10_000, async (sensor) => ({
    ...sensor,
    onEvent(listener) {
      tell = listener;
    },
  }));
  await one.clock.advance(1);
  tell({ channel: "press", type: "single" });
  one.stop.abort();
  await one.ended;
  tell({ channel: "press", type: "double" });
  expect(one.events).toEqual(["single"]);
});

describe("a device that is doubtful", () => {
  test("by its driver's word goes on, with a fault that says why, for as long as that lasts", async () => {
    const edgesLost = { code: "EDGES_LOST", channel: "temperature", message: "edges were lost" };
    let faults = [edgesLost];
    const { clock, health } = bench(10_000, async (sensor) => ({ ...sensor, faults: () => faults }));
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "ok", online: true, faults: [edgesLost] });
    faults = [];
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "ok", faults: [] });
  });

  const changing = (clock: FakeClock) => 20 + Math.sin(clock.monoMs() / 60_000);

  test("and stands still for too long is at fault, gives no value, and is opened anew", async () => {
    const { clock, samples, world, health } = bench();
    await clock.advance(HOUR_MS - 5_000);
    expect(health()).toMatchObject({ state: "ok" });
    const opened = world.opened;

    await clock.advance(60_000);
    const reason = "temperature has been 20 to the last digit for 1h or longer";
    expect(health()).toMatchObject({ state: "failing", online: false, code: "STUCK", reason });
    expect(samples.at(-1)?.atMs).toBeLessThan(HOUR_MS);
    expect(world.opened).toBeGreaterThan(opened);
  });

  test("is well as soon as it moves again", async () => {
    const { clock, world, health } = bench();
    await clock.advance(HOUR_MS + 60_000);
    expect(health()).toMatchObject({ state: "failing", code: "STUCK" });

    world.read = async () => ({ values: { temperature: 20.01 } });
    await clock.advance(60_000);
    expect(health()).toMatchObject({ state: "ok", online: true, faults: [] });
  });

  test("in one channel goes on in the others, with a fault that names it", async () => {
    const { clock, log, samples, world, health } = bench();
    world.read = async () => ({ values: { temperature: changing(clock), pressure: 1013.25 } });
    await clock.advance(HOUR_MS + 60_000);

    expect(health()).toMatchObject({ state: "ok", online: true, faults: [{ code: "STUCK", channel: "pressure" }] });
    expect(Object.keys(samples.at(-1)?.sample.values ?? {})).toEqual(["temperature"]);
    expect([...(health()?.withheld ?? [])]).toEqual([["pressure", expect.any(Number)]]);
    expect(log.lines.filter(({ message }) => message === "device is doubtful")).toHaveLength(1);
  });

  test("whose answers are often damaged loses no value, and has a fault", async () => {
    const { clock, samples, world, health } = bench();
    let reads = 0;
    world.read = async () => {
      if (++reads % 5 === 0) throw new GatewayError("CHECKSUM", "word 0 has CRC 0x12");
      return { values: { temperature: changing(clock) } };
    };
    await clock.advance(HOUR_MS);

    expect(samples).toHaveLength(360);
    expect(health()).toMatchObject({ state: "ok", errors: 0, faults: [{ code: "CHECKSUM" }] });

    world.read = async () => ({ values: { temperature: changing(clock) } });
    await clock.advance(HOUR_MS);
    expect(health()).toMatchObject({ state: "ok", faults: [] });
  });

  test("in a value that it cannot have measured names the channel that is withheld, until it is right", async () => {
    const { clock, world, health } = bench();
    world.read = async () => ({ values: { temperature: 130, pressure: changing(clock) } });
    await clock.advance(15_000);
    expect([...(health()?.withheld?.keys() ?? [])]).toEqual(["temperature"]);

    world.read = async () => ({ values: { temperature: 20, pressure: changing(clock) } });
    await clock.advance(15_000);
    expect(health()?.withheld?.size).toBe(0);
  });
});

describe("a fault that is cleared", () => {
  test("opens a device that is away at once, instead of after its pause", async () => {
    const { clock, world, health, clearFault } = bench(10_000, () => Promise.reject(nack()));
    await clock.advance(60_000);
    expect(health()?.state).toBe("absent");
    const { errors } = health() ?? { errors: 0 };
    world.open = async () => ({ read: (signal) => world.read(signal) });
    clearFault();
    await clock.advance(0);
    expect(health()).toMatchObject({ state: "ok", errors });
  });

  test("and is there still makes the pauses short again", async () => {
    const { clock, health, clearFault } = bench(10_000, () => Promise.reject(nack()));
    await clock.advance(300_000);
    clearFault();
    await clock.advance(0);
    const { errors } = health() ?? { errors: 0 };
    await clock.advance(2_000);
    expect(health()?.errors).toBeGreaterThan(errors);
  });

  test("opens a device that reads badly anew, and it is read at once", async () => {
    const { clock, world, health, clearFault } = bench();
    await clock.advance(1);
    world.read = async () => {
      throw nack();
    };
    await clock.advance(12_000);
    expect(health()?.state).toBe("failing");
    const { opened, closed } = world;
    world.read = async () => ({ values: { temperature: 21 } });
    clearFault();
    await clock.advance(0);
    expect(health()?.state).toBe("ok");
    expect([world.opened - opened, world.closed - closed]).toEqual([1, 1]);
  });

  test("gives a channel that stood still another chance, and leaves a device that is well in its slots", async () => {
    const { clock, world, samples, health, clearFault } = bench();
    let pressure = 1000;
    world.read = async () => ({ values: { temperature: 20, pressure: pressure++ } });
    await clock.advance(2 * HOUR_MS);
    expect(health()?.faults).toMatchObject([{ code: "STUCK", channel: "temperature" }]);
    const { opened } = world;
    const count = samples.length;
    clearFault();
    expect(health()).toMatchObject({ state: "ok", faults: [] });
    expect(health()?.withheld?.size).toBe(0);
    await clock.advance(9_999);
    expect(samples.length).toBeLessThanOrEqual(count + 1);
    await clock.advance(1);
    expect(samples.at(-1)?.sample.values).toHaveProperty("temperature", 20);
    expect(world.opened).toBe(opened);
  });

  test("after the stop changes nothing", async () => {
    const { clock, stop, ended, healths, clearFault } = bench();
    await clock.advance(1);
    stop.abort();
    await ended;
    const told = healths.length;
    clearFault();
    await clock.advance(60_000);
    expect(healths).toHaveLength(told);
  });
});
