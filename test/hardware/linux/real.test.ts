import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, writeSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { linuxClock } from "../../../src/hardware/clock.ts";
import type { Edge } from "../../../src/hardware/gpio.ts";
import { i2cDevice } from "../../../src/hardware/i2c.ts";
import { openGpiod } from "../../../src/hardware/linux/gpiod.ts";
import { linuxHardware } from "../../../src/hardware/linux/hardware.ts";
import { gpioContract } from "../../contracts/gpio.ts";
import { i2cContract } from "../../contracts/i2c.ts";

/**
 * The contracts again, on real kernel interfaces: /dev/i2c-1 with slaves described in /run/vi2c.json, and sysfs GPIO on
 * the kernel's gpio-sim, as a virtual Raspberry Pi has them. Needs write access to that file and to the pins' `pull`.
 */
const wanted = process.env.FIELDPOST_REAL_HARDWARE === "1";
const CHIP = 0x40;
const PIN = 17;
const registers = Array.from({ length: 256 }, (_, index) => (index * 7) & 0xff);

type Slaves = Record<string, Record<string, unknown>>;
const answering = { regs: { "00": Buffer.from(registers).toString("hex") } };

async function setSlaves(slaves: Slaves): Promise<void> {
  await writeFile("/run/vi2c.json", JSON.stringify(slaves));
}

function hardware() {
  return linuxHardware(linuxClock());
}

/** Where gpio-sim takes the level of a line from (`pull`), or shows it (`value`). */
function lineFile(line: number, name: "pull" | "value"): string {
  const platform = "/sys/devices/platform";
  const simulator = readdirSync(platform).find((name) => name.startsWith("gpio-sim."));
  const chip = readdirSync(`${platform}/${simulator}`).find((name) => /^gpiochip\d+$/.test(name));
  return `${platform}/${simulator}/${chip}/sim_gpio${line}/${name}`;
}

async function drive(level: 0 | 1): Promise<void> {
  await writeFile(lineFile(PIN, "pull"), level === 1 ? "pull-up" : "pull-down");
}

async function driven(): Promise<0 | 1> {
  return (await readFile(lineFile(PIN, "value"), "utf8")).trim() === "1" ? 1 : 0;
}

/** Five times what an edge was seen to take at worst; more where the CPU is emulated on cores that others use. */
const settle = () => sleep(Number(process.env.FIELDPOST_SETTLE_MS ?? 400));

if (wanted) {
  i2cContract("linux, /dev/i2c-1", async () => {
    await setSlaves({ [CHIP.toString(16)]: answering });
    return { bus: await hardware().i2c("1"), chip: CHIP, absent: 0x41, registers };
  });

  gpioContract("linux, /sys/class/gpio", async () => {
    await drive(0);
    return { gpio: await hardware().gpio(), pin: PIN, missing: 54, driven, drive, settle };
  });
}

/** Whatever version is first in PATH: the system test runs this twice. */
const hasTools = existsSync("/usr/bin/gpiomon");

if (wanted && hasTools) {
  gpioContract("linux, the programs of libgpiod", async () => {
    await drive(0);
    return { gpio: await openGpiod({ clock: linuxClock() }), pin: PIN, missing: 54, driven, drive, settle };
  });
}

describe.runIf(wanted && hasTools)("the programs of libgpiod", () => {
  test("a gpiomon that is killed is started again, and the level is read anew", async () => {
    await drive(0);
    await using gpio = await openGpiod({ clock: linuxClock() });
    const input = await gpio.input(PIN);
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    execFileSync("pkill", ["-x", "-P", String(process.pid), "gpiomon"]);
    await drive(1);
    await expect.poll(() => edges.map(({ level }) => level), { timeout: 15_000 }).toEqual([1]);
    expect(input.losses).toBe(1);
    // Until it answers again gpiomon does not listen yet, and an edge would be missed.
    await expect.poll(() => input.level().catch(() => undefined), { timeout: 15_000 }).toBe(1);
    await drive(0);
    await expect.poll(() => edges.length, { timeout: 15_000 }).toBe(2);
  });

  test("edges come with the kernel's time: the time between two is the one between their causes", async () => {
    await drive(0);
    const clock = linuxClock();
    await using gpio = await openGpiod({ clock });
    const input = await gpio.input(PIN, { batchMs: 100 });
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    const causes: [number, number][] = [];
    for (const level of [1, 0, 1, 0] as const) {
      const beforeMs = clock.monoMs();
      await drive(level);
      causes.push([beforeMs, clock.monoMs()]);
      await sleep(20);
    }
    await expect.poll(() => edges.length, { timeout: 15_000 }).toBe(4);
    for (const [index, [beforeMs, afterMs]] of causes.entries()) {
      expect(edges[index]?.monoMs).toBeGreaterThanOrEqual(beforeMs - 5);
      expect(edges[index]?.monoMs).toBeLessThanOrEqual(afterMs + 5);
    }
  });

  test.each([
    ["up", 1],
    ["down", 0],
  ] as const)("a pull resistor %s pulls the pin of the simulator to %i", async (pull, level) => {
    await drive(level === 1 ? 0 : 1);
    await using gpio = await openGpiod({ clock: linuxClock() });
    await using input = await gpio.input(PIN, { pull });
    expect(await input.level()).toBe(level);
  });

  test("a thousand pulses are counted, or the loss is seen", async () => {
    await drive(0);
    await using gpio = await openGpiod({ clock: linuxClock() });
    const input = await gpio.input(PIN, { batchMs: 100 });
    let rising = 0;
    input.onEdge(({ level }) => {
      rising += level;
    });
    const pull = openSync(lineFile(PIN, "pull"), "w");
    for (let pulse = 0; pulse < 1000; pulse++) {
      writeSync(pull, "pull-up", 0);
      writeSync(pull, "pull-down", 0);
      await setImmediate();
    }
    closeSync(pull);
    await settle();
    if (input.losses === 0) expect(rising).toBe(1000);
    expect(rising).toBeLessThanOrEqual(1000);
  });
});

describe.runIf(wanted)("on real kernel interfaces", () => {
  test("a chip that hangs is BUS_TIMEOUT, and the bus works afterwards", async () => {
    await using machine = hardware();
    const chip = i2cDevice(await machine.i2c("1"), CHIP);
    await setSlaves({ [CHIP.toString(16)]: { ...answering, hang: true } });
    await expect(chip.readRegister(0, 1)).rejects.toMatchObject({ code: "BUS_TIMEOUT" });
    await setSlaves({ [CHIP.toString(16)]: answering });
    expect([...(await chip.readRegister(1, 1))]).toEqual([7]);
  });

  test.each([
    [5, "BUS_IO"],
    [6, "BUS_NACK"],
    [11, "BUS_ARBITRATION"],
    [121, "BUS_NACK"],
  ])("errno %i of the adapter is %s, by register and by plain transfer", async (err, code) => {
    await using machine = hardware();
    const chip = i2cDevice(await machine.i2c("1"), CHIP);
    await setSlaves({ [CHIP.toString(16)]: { ...answering, err } });
    await expect(chip.readRegister(0, 1)).rejects.toMatchObject({ code });
    await expect(chip.read(1)).rejects.toMatchObject({ code });
    await expect(chip.write([0])).rejects.toMatchObject({ code });
  });

  test("a bus that is not there is BUS_MISSING", async () => {
    await using machine = hardware();
    await expect(machine.i2c("77")).rejects.toMatchObject({ code: "BUS_MISSING" });
  });

  test("a pin that is unexported behind our back ends nothing but its input", async () => {
    await using machine = hardware();
    const gpio = await machine.gpio();
    const input = await gpio.input(PIN);
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    await writeFile("/sys/class/gpio/unexport", String(512 + PIN));
    await settle();
    await expect(input.level()).rejects.toMatchObject({ code: "FILE_IO" });
    await input[Symbol.asyncDispose]();
    await using again = await gpio.input(PIN);
    expect([0, 1]).toContain(await again.level());
  });

  test.runIf(existsSync("/usr/bin/gpiomon"))(
    "a pin that the character device holds is PIN_BUSY until it is free",
    async () => {
      await using machine = hardware();
      const gpio = await machine.gpio();
      const monitor = spawn("gpiomon", ["gpiochip0", String(PIN)]);
      await sleep(1500);
      await expect(gpio.input(PIN)).rejects.toMatchObject({ code: "PIN_BUSY" });
      monitor.kill();
      await once(monitor, "exit");
      await using input = await gpio.input(PIN);
      expect([0, 1]).toContain(await input.level());
    },
  );

  test("a claimed pin is given back at disposal", async () => {
    const machine = hardware();
    await (await machine.gpio()).input(PIN);
    expect(existsSync(`/sys/class/gpio/gpio${512 + PIN}`)).toBe(true);
    await machine[Symbol.asyncDispose]();
    expect(existsSync(`/sys/class/gpio/gpio${512 + PIN}`)).toBe(false);
  });
});
