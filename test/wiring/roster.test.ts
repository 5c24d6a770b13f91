import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Board } from "../../src/core/board.ts";
import type { DeviceEvent } from "../../src/core/event.ts";
import type { OutboxRecord } from "../../src/core/reading.ts";
import type { AfterDeath, GpioDriver } from "../../src/drivers/driver.ts";
import { findDriver } from "../../src/drivers/registry.ts";
import { simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { Fleet } from "../../src/sampling/fleet.ts";
import { Roster, type RosterDeps, type RosterDevice } from "../../src/wiring/roster.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

function bench(extra: Pick<RosterDeps, "lastWill"> = {}) {
  const clock = new FakeClock();
  const log = fakeLog();
  const board = new Board();
  const accepted: OutboxRecord[] = [];
  const tombstones = new Map<string, number>();
  const meta = new Map<string, string>();
  const store = {
    accept(record: OutboxRecord) {
      accepted.push(record);
      return undefined;
    },
    newest: () => new Map(),
    getMeta: (key: string) => meta.get(key),
    setMeta: (key: string, value: string) => void meta.set(key, value),
    tombstones: () => tombstones,
  };
  const fleet = new Fleet({ clock, random: () => 0.5, log });
  const hardware = simulatedHardware({ clock, placements: [] });
  const events: DeviceEvent[] = [];
  const happened = (event: DeviceEvent) => void events.push(event);
  const parts = { board, clock, controller: { seenMs: () => 0 }, fleet, happened, hardware, log, store };
  const roster = new Roster({ ...parts, ...extra });
  return { clock, log, board, accepted, events, tombstones, roster };
}

function device(id: string, change: Partial<RosterDevice> = {}): RosterDevice {
  const driver = findDriver("sht4x");
  if (!driver) throw new Error("no sht4x");
  const qos = { state: 1, readings: 1 } as const;
  const base = { id, name: id, driver, bus: "sim", address: 0x44, intervalMs: 10_000, options: { precision: "high" } };
  return { ...base, damagedPercent: 10, enabled: true, qos, channels: {}, computed: {}, ...change };
}

describe("the roster", () => {
  test("brings what a device measures to the store and onto the board", async () => {
    const { clock, roster, board, accepted } = bench();
    await roster.apply([device("a")]);
    await clock.advance(100);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]).toMatchObject({ kind: "reading", device: "a", at: { boot: clock.boot } });
    expect(board.get("a")?.health).toMatchObject({ state: "ok", online: true });
    expect([...(board.get("a")?.newest.keys() ?? [])]).toEqual(["temperature", "humidity"]);
  });

  test("leaves running devices alone when others come and go", async () => {
    const { clock, roster, board, accepted } = bench();
    const kept = device("kept");
    await roster.apply([kept, device("gone")]);
    await clock.advance(100);
    await roster.apply([{ ...kept }, device("new")]);
    await clock.advance(100);
    expect(board.all().map(({ info }) => info.id)).toEqual(["kept", "new"]);
    expect(accepted.map((record) => record.device)).toEqual(["kept", "gone", "new"]);
  });

  test("starts a device anew when its options changed", async () => {
    const { clock, roster, board, accepted } = bench();
    await roster.apply([device("a")]);
    await clock.advance(100);
    await roster.apply([device("a", { intervalMs: 5_000 })]);
    await clock.advance(100);
    expect(accepted).toHaveLength(2);
    expect(board.get("a")?.info.intervalMs).toBe(5_000);
  });

  test("leaves out a decommissioned device and says how to bring it back", async () => {
    const { clock, roster, board, tombstones, log } = bench();
    tombstones.set("a", 1);
    await roster.apply([device("a"), device("b")]);
    await clock.advance(100);
    expect(board.all().map(({ info }) => info.id)).toEqual(["b"]);
    expect(log.lines[0]?.fields).toMatchObject({ remedy: "fieldpost decommission a --revive" });
  });

  test("publishes the channels that the user wants, under their names and with their decimals", async () => {
    const { clock, roster, board, accepted } = bench();
    const channels = { humidity: { enabled: false }, temperature: { enabled: true, name: "Inside", decimals: 0 } };
    await roster.apply([device("a", { channels })]);
    await clock.advance(100);
    const temperature = accepted[0]?.values.temperature;
    expect(accepted[0]?.values).toEqual({ temperature: Math.round(Number(temperature)) });
    expect(board.get("a")?.info.channels.map(({ key, title }) => [key, title])).toEqual([["temperature", "Inside"]]);
    expect(board.get("a")?.health.state).toBe("ok");
  });

  test("leaves out a device that is switched off", async () => {
    const { roster, board } = bench();
    await roster.apply([device("a", { enabled: false }), device("b")]);
    expect(board.all().map(({ info }) => info.id)).toEqual(["b"]);
  });
});

describe("an output", () => {
  function pump(change: Partial<RosterDevice> = {}): RosterDevice {
    const driver = findDriver("digital-output") as RosterDevice["driver"];
    const options = z.strictObject(driver.options).parse({ pin: 22, max_on: "1m" });
    return device("pump", { driver, options, ...change });
  }

  test("is switched by a command, and its state, read back, is a reading at once", async () => {
    const { clock, roster, board, accepted } = bench();
    await roster.apply([pump()]);
    await clock.advance(100);
    await roster.command("pump", "state", { on: true });
    await roster.command("pump", undefined, { on: "toggle" });
    await roster.command("pump", undefined, { on: true });
    const states = () => accepted.map((record) => record.kind === "reading" && record.values.state);
    expect(states()).toEqual([false, true, false, true]);
    expect(board.get("pump")?.newest.get("state")).toMatchObject({ value: true });
    await clock.advance(60_000);
    expect(states().at(-1)).toBe(false);
  });

  test("is in the last will before it is open, unless it is to be held, and no more when it was stopped", async () => {
    const wills: [string, AfterDeath][] = [];
    const lastWill = { set: (id: string, todo: AfterDeath) => void wills.push([id, todo]), save: () => undefined };
    const { clock, roster } = bench({ lastWill });
    const lamp = pump({ id: "lamp", bus: "gpio" });
    await roster.apply([pump({ bus: "gpio" }), { ...lamp, options: { ...lamp.options, pin: 23, at_stop: "hold" } }]);
    expect(wills[0]).toEqual(["pump", "open"]);
    await clock.advance(100);
    await roster.apply([]);
    expect(wills.filter(([id]) => id === "pump").at(-1)).toEqual(["pump", "nothing"]);
    expect(wills).not.toContainEqual(["lamp", "open"]);
  });

  test("that is none, is not there, or has no such channel refuses", async () => {
    const { clock, roster } = bench();
    await roster.apply([pump(), device("a")]);
    await clock.advance(100);
    const on = { on: true };
    await expect(roster.command("b", undefined, on)).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
    await expect(roster.command("a", undefined, on)).rejects.toMatchObject({ message: "a takes no commands" });
    await expect(roster.command("pump", "x", on)).rejects.toMatchObject({
      message: 'pump takes no commands for "x": state',
    });
    await roster.apply([]);
    await expect(roster.command("pump", undefined, on)).rejects.toMatchObject({ code: "DEVICE_UNKNOWN" });
  });
});

describe("a meter", () => {
  function meter(): RosterDevice {
    const driver = findDriver("pulse-counter") as RosterDevice["driver"];
    const options = z.strictObject(driver.options).parse({ pin: 27, per_pulse: 0.5, unit: "L" });
    return device("meter", { driver, options });
  }

  test("is set by a command, tells so at once, keeps it over a restart, and refuses what is no reading of it", async () => {
    const { clock, roster, board, log } = bench();
    const total = () => board.get("meter")?.newest.get("total")?.value;
    await roster.apply([meter()]);
    await clock.advance(100);
    await roster.command("meter", undefined, { value: 1234.5 });
    expect(total()).toBe(1234.5);
    expect(log.lines).toContainEqual({
      level: "info",
      part: "meter",
      message: "set",
      fields: { channel: "total", to: 1234.5 },
    });
    await expect(roster.command("meter", "total", { on: true })).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    await expect(roster.command("meter", "rate", { value: 1 })).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    await roster.apply([]);
    await roster.apply([meter()]);
    await clock.advance(100);
    expect(total()).toBe(1234.5);
  });

  test("takes no word for a number, and a switch no number for a word", async () => {
    const { clock, roster } = bench();
    const driver = findDriver("digital-output") as RosterDevice["driver"];
    const options = z.strictObject(driver.options).parse({ pin: 22 });
    await roster.apply([meter(), device("pump", { driver, options })]);
    await clock.advance(100);
    await expect(roster.command("pump", undefined, { value: 42 })).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
  });
});

describe("a knob", () => {
  function knob(change: Partial<RosterDevice> = {}): RosterDevice {
    const driver = { ...(findDriver("rotary-encoder") as RosterDevice["driver"]), port: "gpio" } as GpioDriver;
    const open: GpioDriver["open"] = async () => ({
      read: async () => ({ values: { position: 1 } }),
      onEvent(tell) {
        tell({ channel: "turn", type: "clockwise", details: { steps: 3 } });
        tell({ channel: "turn", type: "sideways" });
        tell({ channel: "position", type: "clockwise" });
      },
    });
    return device("knob", { driver: { ...driver, open }, options: { pin: 5, pin_b: 6 }, ...change });
  }

  test("that is turned is an event of its device, of a type that its channel has", async () => {
    const { clock, events, roster } = bench();
    await roster.apply([knob()]);
    await clock.advance(100);
    expect(events).toEqual([
      {
        device: "knob",
        channel: "turn",
        type: "clockwise",
        details: { steps: 3 },
        at: { boot: clock.boot, monoMs: expect.any(Number) },
      },
    ]);
  });

  test("whose turns are switched off tells none", async () => {
    const { clock, events, roster } = bench();
    await roster.apply([knob({ channels: { turn: { enabled: false } } })]);
    await clock.advance(100);
    expect(events).toEqual([]);
  });
});

describe("clearing faults", () => {
  test("names the devices that were at fault, and tries them at once", async () => {
    const { clock, roster, board, log } = bench();
    await roster.apply([device("well"), device("away", { bus: "i2c-9" })]);
    await clock.advance(100_000);
    const errors = () => board.get("away")?.health.errors ?? 0;
    expect(board.get("away")?.health.state).toBe("absent");
    const before = errors();
    expect(roster.clearFaults("well")).toEqual([]);
    await clock.advance(0);
    expect(errors()).toBe(before);
    expect(roster.clearFaults(undefined)).toEqual(["away"]);
    await clock.advance(0);
    expect(errors()).toBe(before + 1);
    expect(log.lines.filter(({ message }) => message.includes("fault is cleared"))).toHaveLength(1);
  });

  test("of a device that there is not is refused", () => {
    expect(() => bench().roster.clearFaults("ghost")).toThrow(expect.objectContaining({ code: "DEVICE_UNKNOWN" }));
  });
});

describe("an offset", () => {
  const calibrate = { step: "calibrate", scale: 1, offset: 0, adjustable: 2 } as const;
  const calibrated = device("a", { channels: { temperature: { enabled: true, process: [calibrate] } } });
  const offset = (board: Board) =>
    board.get("a")?.info.channels.find(({ key }) => key === "temperature")?.offset?.value;

  test("is set by a command, shown, and kept when the device starts anew", async () => {
    const { clock, roster, board, accepted, log } = bench();
    await roster.apply([calibrated]);
    await clock.advance(100);
    const value = () =>
      Number((accepted.at(-1) as { values?: Record<string, unknown> } | undefined)?.values?.temperature);
    const before = value();
    await roster.command("a", "temperature_offset", { value: -1.5 });
    expect(offset(board)).toBe(-1.5);
    await clock.advance(10_000);
    expect(value()).toBeLessThan(before);
    await roster.apply([{ ...calibrated, intervalMs: 5_000 }]);
    await clock.advance(100);
    expect(offset(board)).toBe(-1.5);
    await roster.command("a", "temperature_offset", { reset: true });
    expect(offset(board)).toBe(0);
    expect(log.lines.filter(({ message }) => message === "calibrated")).toHaveLength(2);
  });

  test.each([
    ["beyond its limit", "temperature_offset", { value: 2.5 }],
    ["that is no number", "temperature_offset", { on: true }],
    ["for a time", "temperature_offset", { value: 1, forMs: 1000 }],
    ["of a channel that has none", "humidity_offset", { value: 1 }],
    ["that is not named", undefined, { value: 1 }],
    ["of nothing that can be reset", "humidity", { reset: true }],
  ] as const)("%s is refused", async (_, channel, command) => {
    const { clock, roster, board } = bench();
    await roster.apply([calibrated]);
    await clock.advance(100);
    await expect(roster.command("a", channel, command)).rejects.toMatchObject({ code: "COMMAND_REFUSED" });
    expect(offset(board)).toBe(0);
  });
});
