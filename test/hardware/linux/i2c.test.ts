import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isRetryable } from "../../../src/core/errors.ts";
import { i2cDevice } from "../../../src/hardware/i2c.ts";
import { openLinuxI2cBus } from "../../../src/hardware/linux/i2c.ts";
import { i2cContract } from "../../contracts/i2c.ts";
import { addonError, FakeI2cLibrary, nodeError } from "../../fakes/i2c-bus.ts";
import { registerChip } from "../../fakes/register-chip.ts";

const CHIP = 0x40;
const registers = [0x11, 0x22, 0x33, 0x44, 0x55];

async function open() {
  const library = new FakeI2cLibrary();
  library.chips.set(CHIP, registerChip(registers));
  const bus = await openLinuxI2cBus("i2c-1", library.open);
  return { library, bus, chip: i2cDevice(bus, CHIP) };
}

i2cContract("linux, over a library that fails as i2c-bus does", async () => ({
  bus: (await open()).bus,
  chip: CHIP,
  absent: 0x41,
  registers,
}));

describe("a transfer that the kernel refuses", () => {
  test.each([
    ["EREMOTEIO of the addon, which has no name", addonError(121, "readI2cBlock"), "BUS_NACK"],
    ["ENXIO", addonError(6, "readI2cBlock", "ENXIO"), "BUS_NACK"],
    ["ETIMEDOUT", addonError(110, "readI2cBlock", "ETIMEDOUT"), "BUS_TIMEOUT"],
    ["EAGAIN", addonError(11, "readI2cBlock", "EAGAIN"), "BUS_ARBITRATION"],
    ["EBUSY", addonError(16, "readI2cBlock", "EBUSY"), "BUS_BUSY"],
    ["EIO", addonError(5, "readI2cBlock", "EIO"), "BUS_IO"],
    ["EOPNOTSUPP", addonError(95, "readI2cBlock"), "BUS_UNSUPPORTED"],
    ["a number that nobody knows", addonError(71, "readI2cBlock"), "BUS_IO"],
    ["EREMOTEIO of node:fs", nodeError("EREMOTEIO", 121, "read"), "BUS_NACK"],
    ["ENODEV, the adapter being unplugged", nodeError("ENODEV", 19, "read"), "BUS_MISSING"],
    ["an error without a number", new Error("Invalid buffer"), "BUS_IO"],
  ])("with %s is a code that keeps the cause", async (_, error, code) => {
    const { library, chip } = await open();
    library.faults.push({ call: "readI2cBlock", error });
    await expect(chip.readRegister(0, 2)).rejects.toMatchObject({ code, cause: error });
  });

  test("names address, bus and errno", async () => {
    const { bus } = await open();
    await expect(i2cDevice(bus, 0x76).readRegister(0xd0, 1)).rejects.toThrow("no answer at 0x76 on i2c-1 (EREMOTEIO)");
  });

  test("with a wire fault keeps the descriptor for the next call", async () => {
    const { library, chip } = await open();
    library.faults.push({ call: "i2cRead", error: nodeError("EIO", 5, "read") });
    await expect(chip.read(1)).rejects.toMatchObject({ code: "BUS_IO" });
    await chip.read(1);
    expect(library.opened).toBe(1);
  });

  test("with an unknown fault gets a new bus of the library, and the old one is closed", async () => {
    const { library, chip } = await open();
    library.faults.push({ call: "i2cRead", error: nodeError("EBADF", 9, "read") });
    await expect(chip.read(1)).rejects.toMatchObject({ code: "BUS_IO" });
    expect([...(await chip.readRegister(0, 1))]).toEqual([0x11]);
    expect([library.opened, library.closed]).toEqual([2, 1]);
    expect(library.violations).toEqual([]);
  });
});

describe("an address that a kernel driver owns", () => {
  test("is BUS_BUSY each time, and never used unclaimed", async () => {
    const { library, bus } = await open();
    library.chips.set(0x76, registerChip([]));
    library.claimed.add(0x76);
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(i2cDevice(bus, 0x76).read(1)).rejects.toMatchObject({
        code: "BUS_BUSY",
        message: "a kernel driver owns 0x76 on i2c-1 (EBUSY)",
      });
    }
    expect(library.violations).toEqual([]);
  });

  test("works once the driver has let go of it, and does not disturb its neighbours", async () => {
    const { library, bus, chip } = await open();
    library.chips.set(0x76, registerChip([7]));
    library.claimed.add(0x76);
    const owned = i2cDevice(bus, 0x76);
    const results = await Promise.allSettled([chip.readRegister(0, 1), owned.read(1), chip.readRegister(1, 1)]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    library.claimed.clear();
    expect([...(await owned.readRegister(0, 1))]).toEqual([7]);
    expect(library.violations).toEqual([]);
  });

  test("drops the library's bus after a claim that failed for another reason, too", async () => {
    const { library, chip } = await open();
    library.faults.push({ call: "setAddr", error: addonError(5, "setAddr", "EIO") });
    await expect(chip.read(1)).rejects.toMatchObject({ code: "BUS_IO" });
    await chip.read(1);
    expect(library.opened).toBe(2);
  });
});

describe("a transfer that is cut short", () => {
  test.each([
    ["read", (chip: ReturnType<typeof i2cDevice>) => chip.read(4)],
    ["register read", (chip: ReturnType<typeof i2cDevice>) => chip.readRegister(0, 4)],
    ["write", (chip: ReturnType<typeof i2cDevice>) => chip.write([1, 2, 3, 4])],
  ])("is BUS_IO for a %s", async (_, transfer) => {
    const { library, chip } = await open();
    library.shortBy = 1;
    await expect(transfer(chip)).rejects.toMatchObject({
      code: "BUS_IO",
      message: "3 of 4 bytes came through at 0x40 on i2c-1",
    });
  });
});

describe("opening a bus", () => {
  test.each([
    ["ENOENT", 2, "BUS_MISSING"],
    ["ENXIO", 6, "BUS_MISSING"],
    ["ENODEV", 19, "BUS_MISSING"],
    ["EACCES", 13, "ACCESS_DENIED"],
  ])("that answers %s is refused at once", async (name, errno, code) => {
    const library = new FakeI2cLibrary();
    library.faults.push({ call: "open", error: nodeError(name, errno, "open") });
    await expect(openLinuxI2cBus("1", library.open)).rejects.toMatchObject({ code });
  });

  test.each(["sim", "i2c", "", "/dev/spi0"])("called %j is BUS_MISSING", async (name) => {
    await expect(openLinuxI2cBus(name, new FakeI2cLibrary().open)).rejects.toMatchObject({ code: "BUS_MISSING" });
  });

  test.skipIf(existsSync("/dev/i2c-99"))(
    "that this machine does not have is BUS_MISSING with the real library",
    async () => {
      const error = await openLinuxI2cBus("i2c-99").catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "BUS_MISSING", message: "there is no bus i2c-99 (ENOENT)" });
      expect(isRetryable(error)).toBe(false);
    },
  );

  test("is given back at disposal, after the transfer that runs", async () => {
    const { library, bus, chip } = await open();
    const running = chip.readRegister(0, 1);
    await new Promise(setImmediate);
    await bus[Symbol.asyncDispose]();
    expect([...(await running)]).toEqual([0x11]);
    expect(library.closed).toBe(1);
    expect(library.violations).toEqual([]);
  });
});
