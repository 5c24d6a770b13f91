import { describe, expect, test } from "vitest";
import { i2cDevice } from "../../../src/hardware/i2c.ts";
import { linuxHardware } from "../../../src/hardware/linux/hardware.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeI2cLibrary, nodeError } from "../../fakes/i2c-bus.ts";
import { FakeSysfsGpio } from "../../fakes/sysfs-gpio.ts";

function open() {
  const clock = new FakeClock();
  const library = new FakeI2cLibrary();
  const sysfs = new FakeSysfsGpio(clock, [{ label: "pinctrl-rp1", base: 569, lines: 54 }]);
  const host = { files: sysfs, openI2cHandle: library.open, openLine: sysfs.openLine };
  return { library, sysfs, hardware: linuxHardware(clock, host) };
}

describe("this machine's hardware", () => {
  test("a bus is opened once, however it is called", async () => {
    const { library, hardware } = open();
    const buses = await Promise.all(["1", "i2c-1", "/dev/i2c-1"].map((name) => hardware.i2c(name)));
    expect(new Set(buses).size).toBe(1);
    expect(library.opened).toBe(1);
    expect(buses[0]?.name).toBe("i2c-1");
  });

  test("a bus that could not be opened is tried anew", async () => {
    const { library, hardware } = open();
    library.faults.push({ call: "open", error: nodeError("ENOENT", 2, "open") });
    await expect(hardware.i2c("1")).rejects.toMatchObject({ code: "BUS_MISSING" });
    expect((await hardware.i2c("1")).name).toBe("i2c-1");
  });

  test("the bus behind a multiplexer is made of the bus before it, which is opened once", async () => {
    const { library, hardware } = open();
    let connected = 0;
    library.chips.set(0x70, {
      write([bits = 0]) {
        connected = bits;
      },
      read: (length) => new Uint8Array(length).fill(connected),
    });
    library.chips.set(0x40, { write: () => undefined, read: (length) => new Uint8Array(length).fill(connected) });
    const names = ["1/mux@0x70/3", "i2c-1/mux@0x70/3", "1/mux@0x70/0"];
    const [third, again, first] = await Promise.all(names.map((name) => hardware.i2c(name)));
    expect(again).toBe(third);
    expect(third?.name).toBe("i2c-1/mux@0x70/3");
    expect(await i2cDevice(third!, 0x40).read(1)).toEqual(Uint8Array.of(0b1000));
    expect(await i2cDevice(first!, 0x40).read(1)).toEqual(Uint8Array.of(0b0001));
    expect(connected).toBe(0);
    expect(library.opened).toBe(1);
    expect(library.violations).toEqual([]);
  });

  test("the GPIO port is opened once", async () => {
    const { hardware } = open();
    expect(await hardware.gpio()).toBe(await hardware.gpio());
  });

  test("disposal closes what was opened, and nothing opens after it", async () => {
    const { library, sysfs, hardware } = open();
    const bus = await hardware.i2c("1");
    await (await hardware.gpio()).input(4);
    await hardware[Symbol.asyncDispose]();
    expect(library.closed).toBe(1);
    expect(sysfs.exported(573)).toBe(false);
    await expect(i2cDevice(bus, 0x40).read(1)).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(hardware.i2c("1")).rejects.toMatchObject({ code: "CANCELLED" });
  });

  test("nothing is opened before it is asked for", async () => {
    const { library, hardware } = open();
    await hardware[Symbol.asyncDispose]();
    expect(library.opened).toBe(0);
  });
});
