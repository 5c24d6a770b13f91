import { describe, expect, test } from "vitest";
import type { Edge } from "../../../src/hardware/gpio.ts";
import { openLinuxGpio } from "../../../src/hardware/linux/gpio.ts";
import { gpioContract } from "../../contracts/gpio.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { nodeError } from "../../fakes/i2c-bus.ts";
import { type FakeChip, FakeSysfsGpio } from "../../fakes/sysfs-gpio.ts";

const BASE = 512;
const PIN = 17;
const header: FakeChip = { label: "pinctrl-bcm2711", base: BASE, lines: 58 };
const expander: FakeChip = { label: "raspberrypi-exp-gpio", base: 570, lines: 8 };

function machine(...chips: FakeChip[]) {
  const clock = new FakeClock();
  const sysfs = new FakeSysfsGpio(clock, chips.length > 0 ? chips : [expander, header]);
  return { clock, sysfs, open: () => openLinuxGpio({ files: sysfs, clock, openLine: sysfs.openLine }) };
}

gpioContract("linux, over an imitation of sysfs", async () => {
  const { clock, sysfs, open } = machine();
  return {
    gpio: await open(),
    pin: PIN,
    missing: 58,
    driven: async () => ((await sysfs.read(`/sys/class/gpio/gpio${BASE + PIN}/value`)) === "1" ? 1 : 0),
    drive: async (level) => sysfs.drive(BASE + PIN, level),
    settle: () => clock.advance(1),
  };
});

describe("the header's GPIO chip", () => {
  test.each([
    ["pinctrl-bcm2835", 0],
    ["pinctrl-bcm2711", 512],
    ["pinctrl-rp1", 569],
  ])("is found by its label %s, and its pins by its base %d", async (label, base) => {
    const { sysfs, open } = machine(
      { label: "gpio-brcmstb@107d508500", base: 700, lines: 32 },
      { label, base, lines: 54 },
    );
    const gpio = await open();
    await using _input = await gpio.input(4);
    expect(gpio.name).toBe(label);
    expect(sysfs.exported(base + 4)).toBe(true);
  });

  test("that is not there is PIN_MISSING, with the labels that are", async () => {
    await expect(machine(expander).open()).rejects.toMatchObject({
      code: "PIN_MISSING",
      message: expect.stringContaining("found: raspberrypi-exp-gpio"),
    });
  });
});

describe("claiming a pin", () => {
  test("waits until udev has handed the files over", async () => {
    const { clock, sysfs, open } = machine();
    sysfs.udevDelayMs = 500;
    const gpio = await open();
    const claim = gpio.input(PIN);
    await clock.advance(490);
    expect(sysfs.listeners(BASE + PIN)).toBe(0);
    await clock.advance(50);
    expect(await (await claim).level()).toBe(0);
  });

  test("waits longer while udev has work, but not for ever", async () => {
    const { clock, sysfs, open } = machine();
    sysfs.udevDelayMs = 20_000;
    sysfs.udevHasWork = true;
    const claim = (await open()).input(PIN);
    await clock.advance(20_100);
    const input = await claim;
    expect(await input.level()).toBe(0);
    await input[Symbol.asyncDispose]();

    sysfs.udevDelayMs = 120_000;
    const vain = (await open()).input(PIN).catch((error: unknown) => error);
    await clock.advance(30_100);
    expect(await vain).toMatchObject({ code: "ACCESS_DENIED" });
  });

  test("gives up after a bounded time with ACCESS_DENIED and takes the export back", async () => {
    const { clock, sysfs, open } = machine();
    sysfs.udevDelayMs = 60_000;
    const claim = (await open()).input(PIN).catch((error: unknown) => error);
    await clock.advance(5000);
    expect(await claim).toMatchObject({ code: "ACCESS_DENIED", message: expect.stringContaining("gpio529/direction") });
    expect(sysfs.exported(BASE + PIN)).toBe(false);
    expect(clock.sleeping).toBe(0);
  });

  test("takes over what sysfs has already exported, as after a crash", async () => {
    const { sysfs, open } = machine();
    await sysfs.write("/sys/class/gpio/export", String(BASE + PIN));
    await using input = await (await open()).input(PIN);
    expect(await input.level()).toBe(0);
  });

  test("leaves another program's output alone: PIN_BUSY", async () => {
    const { sysfs, open } = machine();
    await sysfs.write("/sys/class/gpio/export", String(BASE + PIN));
    sysfs.setDirection(BASE + PIN, "out");
    await expect((await open()).input(PIN)).rejects.toMatchObject({ code: "PIN_BUSY" });
    expect(await sysfs.read(`/sys/class/gpio/gpio${BASE + PIN}/direction`)).toBe("out");
    expect(sysfs.exported(BASE + PIN)).toBe(true);
  });

  test("that the character device holds is PIN_BUSY, and works when it is free again", async () => {
    const { sysfs, open } = machine();
    sysfs.held.add(BASE + PIN);
    const gpio = await open();
    await expect(gpio.input(PIN)).rejects.toMatchObject({ code: "PIN_BUSY" });
    sysfs.held.clear();
    await using input = await gpio.input(PIN);
    expect(await input.level()).toBe(0);
  });

  test("whose edges cannot be switched on is FILE_IO: it would look like a contact that never moves", async () => {
    const { sysfs, open } = machine();
    sysfs.edgesWork = false;
    await expect((await open()).input(PIN)).rejects.toMatchObject({ code: "FILE_IO" });
    expect(sysfs.exported(BASE + PIN)).toBe(false);
  });

  test("that onoff cannot open is FILE_IO, and the export is taken back", async () => {
    const { clock, sysfs } = machine();
    const openLine = () => Promise.reject(nodeError("EIO", 5, "write"));
    const gpio = await openLinuxGpio({ files: sysfs, clock, openLine });
    await expect(gpio.input(PIN)).rejects.toMatchObject({ code: "FILE_IO", message: "pin 17 failed (EIO)" });
    expect(sysfs.exported(BASE + PIN)).toBe(false);
  });

  test("while the port is being disposed of leaves nothing exported", async () => {
    const { clock, sysfs, open } = machine();
    sysfs.udevDelayMs = 100;
    const gpio = await open();
    const claim = gpio.input(PIN);
    await clock.advance(40);
    const disposal = gpio[Symbol.asyncDispose]();
    await clock.advance(100);
    await Promise.all([claim, disposal]);
    expect(sysfs.exported(BASE + PIN)).toBe(false);
    await expect(gpio.input(PIN)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("an output", () => {
  test("says which file sets it when this process is dead", async () => {
    const { sysfs, open } = machine();
    const output = await (await open()).output(PIN, 0);
    for (const level of [1, 0] as const) {
      const { path, text } = output.byFile?.(level) ?? { path: "", text: "" };
      await sysfs.write(path, text);
      expect(await output.level()).toBe(level);
    }
  });

  test.each([0, 1] as const)("is driven to no other level before its first, %i", async (initial) => {
    const { sysfs, open } = machine();
    await using output = await (await open()).output(PIN, initial);
    await output.set(1);
    expect(sysfs.driven(BASE + PIN)).toEqual([initial, 1]);
  });

  test("holds its level when it was given back, so that it outlives the process", async () => {
    const { sysfs, open } = machine();
    const gpio = await open();
    await gpio.output(PIN, 1);
    await gpio[Symbol.asyncDispose]();
    expect(sysfs.exported(BASE + PIN)).toBe(true);
    expect(sysfs.driven(BASE + PIN)).toEqual([1]);
  });

  test("is taken over from who drove it before a crash, also where it was inverted", async () => {
    const { sysfs, open } = machine();
    await sysfs.write("/sys/class/gpio/export", String(BASE + PIN));
    await sysfs.write(`/sys/class/gpio/gpio${BASE + PIN}/active_low`, "1");
    await using output = await (await open()).output(PIN, 1);
    expect(await output.level()).toBe(1);
    expect(await sysfs.read(`/sys/class/gpio/gpio${BASE + PIN}/active_low`)).toBe("0");
  });

  test("on a line that the character device holds is PIN_BUSY", async () => {
    const { sysfs, open } = machine();
    sysfs.held.add(BASE + PIN);
    await expect((await open()).output(PIN, 0)).rejects.toMatchObject({ code: "PIN_BUSY" });
  });
});

describe("a watched pin", () => {
  async function watched() {
    const { clock, sysfs, open } = machine();
    const input = await (await open()).input(PIN);
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    return { clock, sysfs, input, edges };
  }

  test("reports nothing for an event after which the level is what it was", async () => {
    const { sysfs, edges } = await watched();
    sysfs.poll(BASE + PIN);
    sysfs.drive(BASE + PIN, 1);
    sysfs.poll(BASE + PIN);
    expect(edges.map(({ level }) => level)).toEqual([1]);
  });

  test("counts such an event as a loss: a pulse was shorter than the look", async () => {
    const { sysfs, input } = await watched();
    sysfs.poll(BASE + PIN);
    expect(input.losses).toBe(1);
  });

  test("stamps an edge with the monotonic time", async () => {
    const { clock, sysfs, edges } = await watched();
    await clock.advance(250);
    sysfs.drive(BASE + PIN, 1);
    expect(edges).toEqual([{ level: 1, monoMs: clock.monoMs() }]);
  });

  test("whose line is taken away throws nowhere, stops watching, and tells it at the next read", async () => {
    const { sysfs, input, edges } = await watched();
    sysfs.lineError = nodeError("ENODEV", 19, "read");
    expect(() => sysfs.poll(BASE + PIN)).not.toThrow();
    expect(sysfs.listeners(BASE + PIN)).toBe(0);
    expect(edges).toEqual([]);
    await expect(input.level()).rejects.toMatchObject({ code: "FILE_IO", message: "pin 17 failed (ENODEV)" });
    await input[Symbol.asyncDispose]();
  });
});
