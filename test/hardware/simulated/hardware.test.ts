import { describe, expect, test } from "vitest";
import { i2cDevice } from "../../../src/hardware/i2c.ts";
import { simulatedHardware } from "../../../src/hardware/simulated/hardware.ts";
import type { Placement } from "../../../src/hardware/simulated/placement.ts";
import { FakeClock } from "../../fakes/clock.ts";

const climate: Placement = { id: "climate", driver: "sht4x", address: 0x44 };
const open = (...placements: Placement[]) => simulatedHardware({ clock: new FakeClock(), placements });

describe("simulated hardware", () => {
  test("a placed chip answers at its address on the bus `sim`", async () => {
    const chip = i2cDevice(await open(climate).i2c("sim"), 0x44);
    await chip.write([0x89]);
    expect(await chip.read(6)).toHaveLength(6);
  });

  test.each(["1", "i2c-1", "/dev/i2c-1"])("a chip placed on bus 1 is found on %s", async (name) => {
    await using hardware = open({ ...climate, bus: "i2c-1" });
    expect((await hardware.i2c(name)).has(0x44)).toBe(true);
  });

  test("another bus is BUS_MISSING", async () => {
    await expect(open(climate).i2c("1")).rejects.toMatchObject({ code: "BUS_MISSING" });
  });

  test("a placed 1-Wire sensor shows as the kernel shows it", async () => {
    const { files } = open({ id: "soil", driver: "ds18b20", options: { sensor: "28-00155e000001" } });
    expect(await files.list("/sys/bus/w1/devices")).toEqual(["28-00155e000001", "w1_bus_master1"]);
    expect(await files.read("/sys/bus/w1/devices/28-00155e000001/temperature")).toMatch(/^2\d{4}$/);
  });

  test("two 1-Wire sensors without a name get different ones", async () => {
    const { files } = open({ id: "a", driver: "ds18b20" }, { id: "b", driver: "ds18b20" });
    expect(await files.list("/sys/bus/w1/devices")).toEqual(["28-00155e000001", "28-00155e000002", "w1_bus_master1"]);
  });

  test.each<[string, Placement[]]>([
    ["a chip without an address", [{ id: "climate", driver: "sht4x" }]],
    ["two chips at one address", [climate, { ...climate, id: "other" }]],
    ["a driver without a simulated counterpart", [{ id: "x", driver: "of-the-future", address: 0x12 }]],
  ])("%s is CONFIG_INVALID", (_, placements) => {
    expect(() => open(...placements)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("an input needs nothing but a pin", async () => {
    await using hardware = open({ id: "door", driver: "digital-input", pin: 17 });
    expect([0, 1]).toContain(await (await (await hardware.gpio()).input(17)).level());
  });
});
