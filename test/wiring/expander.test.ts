import { describe, expect, test } from "vitest";
import { Board } from "../../src/core/board.ts";
import type { DeviceEvent } from "../../src/core/event.ts";
import { drivers } from "../../src/drivers/registry.ts";
import type { Level } from "../../src/hardware/gpio.ts";
import { Mcp230xxChip } from "../../src/hardware/simulated/chips/mcp230xx.ts";
import { simulatedHardware } from "../../src/hardware/simulated/hardware.ts";
import { Fleet } from "../../src/sampling/fleet.ts";
import { Roster } from "../../src/wiring/roster.ts";
import { parse } from "../config/support.ts";
import { FakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

const expander = "{ id: io, driver: mcp23017, address: 0x21, interval: 1s }";
const onPin = (pin: number, more: string) => `{ pin: { expander: io, pin: ${pin} }, interval: 1s, ${more} }`;

function bench() {
  const clock = new FakeClock();
  const log = fakeLog();
  const board = new Board();
  const placements = [{ id: "io", driver: "mcp23017", bus: "i2c-1", address: 0x21 }];
  const hardware = simulatedHardware({ clock, placements });
  const outside = new Map<number, Level>();
  const chip = new Mcp230xxChip(2, (pin) => outside.get(pin));
  const events: DeviceEvent[] = [];
  const store = {
    accept: () => undefined,
    newest: () => new Map(),
    getMeta: () => undefined,
    setMeta: () => undefined,
    tombstones: () => new Map(),
  };
  const roster = new Roster({
    ...{ board, clock, hardware, log, store },
    controller: { seenMs: () => 0 },
    fleet: new Fleet({ clock, random: () => 0.5, log }),
    happened: (event) => events.push(event),
  });
  const value = (id: string, key: string) => board.get(id)?.newest.get(key)?.value;
  const apply = async (...devices: string[]) => {
    (await hardware.i2c("i2c-1")).plug(0x21, chip);
    await roster.apply(parse(`devices: [${devices.join(", ")}]`, { drivers }).config.devices);
    await clock.advance(100);
  };
  const set = (pin: number, level: Level) => {
    outside.set(pin, level);
    chip.moved();
  };
  return { apply, board, chip, clock, events, hardware, roster, set, value };
}

describe("pins of an expander", () => {
  test("are inputs, buttons, counters and outputs, all of one chip", async () => {
    const { apply, chip, clock, events, roster, set, value } = bench();
    await apply(
      onPin(0, "id: door, driver: digital-input"),
      onPin(1, "id: bell, driver: button, double_press: 0s"),
      onPin(2, "id: meter, driver: pulse-counter"),
      onPin(8, "id: lamp, driver: digital-output, safe_state: on"),
      onPin(9, "id: pump, driver: digital-output"),
      expander,
    );
    expect([value("door", "state"), value("lamp", "state"), value("pump", "state")]).toEqual([false, true, false]);
    expect([chip.isDriven(8), chip.level(8), chip.isDriven(9), chip.level(9), chip.isDriven(0)]).toEqual([
      ...[true, 1, true, 0],
      false,
    ]);
    set(0, 1);
    set(1, 1);
    await clock.advance(100);
    set(1, 0);
    for (const level of [1, 0, 1, 0] as const) {
      set(2, level);
      await clock.advance(50);
    }
    await roster.command("pump", undefined, { on: true });
    await clock.advance(1000);
    expect([value("door", "state"), value("meter", "total"), chip.level(9)]).toEqual([true, 2, 1]);
    expect(events.map(({ device, type }) => [device, type])).toEqual([["bell", "single"]]);
    expect(value("io", "resets")).toBe(0);
  });

  test("are driven again after a brown-out, which the expander's device counts", async () => {
    const { apply, chip, clock, value } = bench();
    await apply(onPin(8, "id: lamp, driver: digital-output, safe_state: on"), expander);
    chip.reset();
    await clock.advance(2500);
    expect([chip.isDriven(8), chip.level(8), value("io", "resets")]).toEqual([true, 1, 1]);
  });

  test("are absent with their chip, and safe when their device goes", async () => {
    const { apply, board, chip, clock, hardware, roster } = bench();
    const lamp = onPin(8, "id: lamp, driver: digital-output, at_start: restore");
    await apply(lamp, expander);
    await roster.command("lamp", undefined, { on: true });
    expect(chip.level(8)).toBe(1);
    await apply(expander);
    expect([chip.isDriven(8), chip.level(8)]).toEqual([true, 0]);
    await apply(lamp, expander);
    (await hardware.i2c("i2c-1")).unplug(0x21);
    await clock.advance(60_000);
    expect(board.get("lamp")?.health.state).toBe("absent");
    expect(board.get("io")?.health.state).toBe("absent");
  });

  test("move with their expander to another address", async () => {
    const { apply, board, clock } = bench();
    await apply(onPin(0, "id: door, driver: digital-input"), expander);
    expect(board.get("door")?.health.state).toBe("ok");
    await apply(onPin(0, "id: door, driver: digital-input"), expander.replace("0x21", "0x22"));
    await clock.advance(1000);
    expect(board.get("door")?.health.state).toBe("absent");
  });

  test("are simulated where their expander is", async () => {
    const { apply, board, value } = bench();
    await apply(onPin(3, "id: door, driver: digital-input"), "{ id: io, driver: pcf8575, bus: sim }");
    expect(board.get("door")?.health.state).toBe("ok");
    expect(typeof value("door", "state")).toBe("boolean");
  });
});
