import { describe, expect, test } from "vitest";
import { Board } from "../../src/core/board.ts";
import type { OutboxRecord } from "../../src/core/reading.ts";
import { findDriver } from "../../src/drivers/registry.ts";
import type { World } from "../../src/hardware/simulated/chip.ts";
import { simulatedChips } from "../../src/hardware/simulated/chips.ts";
import { simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { Fleet } from "../../src/sampling/fleet.ts";
import { Roster, type RosterDevice } from "../../src/wiring/roster.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

const PERIOD_MS = 10_000;

function device(id: string, driverName: string, bus: string, address: number): RosterDevice {
  const driver = findDriver(driverName);
  if (!driver) throw new Error(`no ${driverName}`);
  const qos = { state: 1, readings: 1 } as const;
  const options = driverName === "sht4x" ? { precision: "high" } : { oversampling: 1, filter: "off" };
  return {
    id,
    name: id,
    driver,
    bus,
    address,
    intervalMs: PERIOD_MS,
    options,
    damagedPercent: 10,
    enabled: true,
    qos,
    channels: {},
    computed: {},
  };
}

/** A BME280 and an SHT4x on one bus, an SHT4x on another, and the whole way from the chips to the store. */
async function bench(change: { world?: Partial<World>; climate?: Partial<RosterDevice> } = {}) {
  const clock = new FakeClock();
  const log = fakeLog();
  const board = new Board();
  const takenMs = new Map<string, number[]>();
  const meta = new Map<string, string>();
  const store = {
    accept(record: OutboxRecord) {
      takenMs.set(record.device, [...(takenMs.get(record.device) ?? []), record.at.monoMs]);
      return undefined;
    },
    newest: () => new Map(),
    getMeta: (key: string) => meta.get(key),
    setMeta: (key: string, value: string) => void meta.set(key, value),
    tombstones: () => new Map<string, number>(),
  };
  const devices = [
    { ...device("climate", "bme280", "i2c-1", 0x76), ...change.climate },
    device("neighbour", "sht4x", "i2c-1", 0x44),
    device("elsewhere", "sht4x", "i2c-2", 0x44),
  ];
  const placements = devices.map(({ id, driver, bus, address }) => ({
    id,
    driver: driver.name,
    bus,
    ...(address !== undefined && { address }),
  }));
  const hardware = simulatedHardware({ clock, placements, world: { ...simulatedWorld(clock), ...change.world } });
  const fleet = new Fleet({ clock, random: () => 0.5, log });
  const roster = new Roster({
    board,
    clock,
    controller: { seenMs: () => 0 },
    fleet,
    happened: () => undefined,
    hardware,
    log,
    store,
  });
  await roster.apply(devices);
  const bus = await hardware.i2c("i2c-1");
  const stateOf = (id: string) => board.get(id)?.health;
  return { board, clock, log, bus, takenMs, stateOf };
}

/** The pauses between readings. */
function pauses(times: readonly number[] = []): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

describe("with one sensor that is broken", () => {
  test("a chip that holds its bus for a second a transfer does not move a reading on another bus", async () => {
    const { clock, bus, takenMs, stateOf } = await bench();
    await clock.advance(5 * PERIOD_MS);
    bus.fault(0x76, { hang: true });
    await clock.advance(60 * PERIOD_MS);
    expect(stateOf("climate")).toMatchObject({ online: false, code: "BUS_TIMEOUT" });
    expect(takenMs.get("elsewhere")).toHaveLength(65);
    expect(new Set(pauses(takenMs.get("elsewhere")).map(Math.round))).toEqual(new Set([PERIOD_MS]));
  });

  test("its neighbour on the same bus goes on as well, in its own slots", async () => {
    const { clock, bus, takenMs, stateOf } = await bench();
    await clock.advance(5 * PERIOD_MS);
    bus.fault(0x76, { hang: true });
    await clock.advance(60 * PERIOD_MS);
    expect(stateOf("neighbour")).toMatchObject({ state: "ok" });
    expect(takenMs.get("neighbour")?.length).toBeGreaterThan(60);
  });

  test.each([
    ["does not answer", { nak: true }],
    ["answers garbage", { corrupt: true }],
    ["fails every third transfer", { failEvery: 3 }],
  ])("one that %s holds up nobody", async (_what, fault) => {
    const { clock, bus, takenMs } = await bench();
    bus.fault(0x76, fault);
    await clock.advance(30 * PERIOD_MS);
    for (const id of ["neighbour", "elsewhere"]) {
      expect(new Set(pauses(takenMs.get(id)).map(Math.round)), id).toEqual(new Set([PERIOD_MS]));
    }
  });

  test("a chip that is unplugged is absent with a reason, and back within a minute of being plugged in", async () => {
    const { clock, log, bus, takenMs, stateOf } = await bench();
    await clock.advance(2 * PERIOD_MS);
    bus.unplug(0x76);
    await clock.advance(120_000);
    expect(stateOf("climate")).toMatchObject({ state: "absent", online: false, code: "BUS_NACK" });
    const chip = simulatedChips.bme280?.(simulatedWorld(clock));
    if (!chip) throw new Error("no simulated bme280");
    bus.plug(0x76, chip);
    const before = takenMs.get("climate")?.length ?? 0;
    await clock.advance(60_000);
    expect(stateOf("climate")).toMatchObject({ state: "ok", online: true });
    expect(takenMs.get("climate")?.length).toBeGreaterThan(before);
    const told = log.lines.filter(({ part }) => part === "climate").map(({ message }) => message);
    expect(told).toEqual(["device is ok", "device is failing", "device is absent", "device is ok"]);
  });
});

test("a wall clock that jumps by years moves no reading", async () => {
  const { clock, takenMs } = await bench();
  for (const date of ["2040-01-01", "1970-01-02", "2026-01-01"]) {
    clock.setWallMs(Date.parse(`${date}T00:00:00Z`));
    await clock.advance(5 * PERIOD_MS);
  }
  for (const times of takenMs.values()) expect(new Set(pauses(times).map(Math.round))).toEqual(new Set([PERIOD_MS]));
});

describe("with one channel whose value is false", () => {
  const newest = (board: Board) => [...(board.get("climate")?.newest.keys() ?? [])].sort();

  test("a pressure that stands still is withheld and forgotten, with a reason in health; the rest goes on", async () => {
    const { board, clock, stateOf } = await bench({
      world: { pressureHpa: () => 1013.25, temperatureC: () => 21.5, humidityPercent: () => 40 },
      climate: { channels: { pressure: { enabled: true, stuckAfterMs: 600_000 } } },
    });
    await clock.advance(600_000 - PERIOD_MS);
    expect(newest(board)).toEqual(["humidity", "pressure", "temperature"]);

    await clock.advance(6 * PERIOD_MS);
    expect(newest(board)).toEqual(["humidity", "temperature"]);
    expect(stateOf("climate")).toMatchObject({
      state: "ok",
      online: true,
      faults: [
        { code: "STUCK", channel: "pressure", message: expect.stringMatching(/^pressure has been 1013\.\d+ to/) },
      ],
    });
  });

  test("a barometer's pressure counts as stuck after six hours where nothing is said, its humidity never", async () => {
    const { clock, stateOf } = await bench({
      world: { pressureHpa: () => 1013.25, temperatureC: () => 21.5, humidityPercent: () => 40 },
    });
    await clock.advance(6 * 3_600_000 + 2 * PERIOD_MS);

    expect(stateOf("climate")?.faults?.map(({ channel }) => channel)).toEqual(["temperature", "pressure"]);
    expect(stateOf("neighbour")).toMatchObject({ state: "ok", faults: [{ code: "STUCK", channel: "temperature" }] });
  });

  test("one that `range` rejects is forgotten after a while, and a fault", async () => {
    const { board, clock, stateOf } = await bench({
      climate: { channels: { temperature: { enabled: true, process: [{ step: "range", min: 100 }] } } },
    });
    await clock.advance(5 * PERIOD_MS);

    expect(newest(board)).toEqual(["humidity", "pressure"]);
    expect(stateOf("climate")?.faults).toMatchObject([
      { code: "REJECTED", message: expect.stringMatching(/^temperature is rejected by `range` since it was 2\d/) },
    ]);
  });
});
