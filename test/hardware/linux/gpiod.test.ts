import { describe, expect, test } from "vitest";
import type { Edge, InputWishes } from "../../../src/hardware/gpio.ts";
import { openPins } from "../../../src/hardware/linux/gpio-backends.ts";
import { openGpiod } from "../../../src/hardware/linux/gpiod.ts";
import { gpioContract } from "../../contracts/gpio.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { FakeGpiod } from "../../fakes/gpiod.ts";
import { FakeSysfsGpio } from "../../fakes/sysfs-gpio.ts";

const PIN = 17;
const BASE = 512;

function machine(version: 1 | 2) {
  const clock = new FakeClock();
  const tools = new FakeGpiod(version, clock);
  return { clock, tools, open: () => openGpiod({ clock, tools, kernelNowMs: tools.kernelNowMs }) };
}

for (const version of [1, 2] as const) {
  gpioContract(`linux, over an imitation of libgpiod ${version}`, async () => {
    const { clock, tools, open } = machine(version);
    return {
      gpio: await open(),
      pin: PIN,
      missing: 58,
      driven: async () => tools.level(PIN),
      drive: async (level) => tools.drive(PIN, level),
      settle: () => clock.advance(1),
    };
  });
}

describe.each([1, 2] as const)("gpiomon of libgpiod %i", (version) => {
  async function watched(wishes: InputWishes = {}) {
    const { clock, tools, open } = machine(version);
    const input = await (await open()).input(PIN, wishes);
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    return { clock, tools, input, edges };
  }

  test("stamps edges with the kernel's time, on our clock, to the microsecond", async () => {
    const { clock, tools, edges } = await watched();
    await clock.advance(4.002);
    const edgeMs = clock.monoMs();
    tools.drive(PIN, 1);
    expect(edges[0]?.monoMs).toBeCloseTo(edgeMs, 5);
  });

  test.each([
    ["up", "pull-up"],
    ["down", "pull-down"],
    ["off", version === 1 ? "disable" : "disabled"],
    [undefined, undefined],
  ] as const)("sets the pull resistor %s", async (pull, bias) => {
    const { tools } = await watched(pull ? { pull } : {});
    expect(tools.bias(PIN)).toBe(bias);
  });

  test("that dies is started again: the level is read anew, and the loss counted", async () => {
    const { clock, tools, input, edges } = await watched();
    tools.kill(PIN);
    await clock.advance(1);
    await expect(input.level()).rejects.toMatchObject({ code: "FILE_IO" });
    tools.drive(PIN, 1);
    await clock.advance(200);
    expect(edges.map(({ level }) => level)).toEqual([1]);
    expect([await input.level(), input.losses]).toEqual([1, 1]);
    tools.drive(PIN, 0);
    expect(edges.map(({ level }) => level)).toEqual([1, 0]);
  });

  test("that cannot be started again is tried ever more rarely, until it can", async () => {
    const { clock, tools, input } = await watched();
    tools.held.add(PIN);
    tools.kill(PIN);
    await clock.advance(60_000);
    await expect(input.level()).rejects.toMatchObject({ code: "PIN_BUSY" });
    expect(tools.started).toBe(1);
    tools.held.clear();
    await clock.advance(5000);
    expect(await input.level()).toBe(0);
    expect(tools.started).toBe(2);
    await input[Symbol.asyncDispose]();
    expect(clock.sleeping).toBe(0);
  });

  test("that tells two edges to one level in a row has lost one between", async () => {
    const { tools, input, edges } = await watched();
    tools.drive(PIN, 1);
    tools.loseEdge(PIN);
    tools.drive(PIN, 1);
    expect(edges.map(({ level }) => level)).toEqual([1, 1]);
    expect(input.losses).toBe(1);
  });

  test("that lost an even number of edges is found out by the kernel's count of interrupts", async () => {
    const { clock, tools, input, edges } = await watched();
    tools.drive(PIN, 1);
    tools.loseEdge(PIN);
    tools.loseEdge(PIN);
    expect(await input.level()).toBe(1);
    await clock.advance(1);
    tools.drive(PIN, 0);
    expect(edges.map(({ level }) => level)).toEqual([1, 0]);
    expect(input.losses).toBe(1);
  });

  test("that lost the last edges before a silence is found out after some seconds, and once", async () => {
    const { clock, tools, input } = await watched();
    tools.drive(PIN, 1);
    tools.loseEdge(PIN);
    tools.loseEdge(PIN);
    for (let second = 0; second < 20; second++) {
      await input.level();
      await clock.advance(1000);
    }
    expect(input.losses).toBe(1);
  });

  test("that has not told yet what the kernel has counted has lost nothing", async () => {
    const { clock, tools, input } = await watched();
    for (let round = 0; round < 50; round++) {
      tools.hold(PIN);
      tools.drive(PIN, round % 2 === 0 ? 1 : 0);
      await input.level();
      await clock.advance(100);
      tools.letGo(PIN);
      await input.level();
      await clock.advance(900);
    }
    expect(input.losses).toBe(0);
  });

  test("is not audited where the kernel does not tell", async () => {
    const { clock, tools, input } = await watched();
    tools.tellsInterrupts = false;
    tools.drive(PIN, 1);
    expect(await input.level()).toBe(1);
    await clock.advance(10_000);
    expect([await input.level(), input.losses]).toEqual([1, 0]);
  });

  test("finds the line held by another program: PIN_BUSY", async () => {
    const { tools, open } = machine(version);
    tools.held.add(PIN);
    const gpio = await open();
    await expect(gpio.input(PIN)).rejects.toMatchObject({ code: "PIN_BUSY" });
    await expect(gpio.output(PIN, 1)).rejects.toMatchObject({ code: "PIN_BUSY" });
  });
});

describe.each([1, 2] as const)("gpioset of libgpiod %i", (version) => {
  test("drives the initial level first, and stays", async () => {
    const { tools, open } = machine(version);
    await using output = await (await open()).output(PIN, 1);
    expect(tools.driven(PIN)).toEqual([1]);
    await output.set(0);
    expect(tools.driven(PIN)).toEqual([1, 0]);
    expect(tools.started).toBe(version === 1 ? 2 : 1);
  });

  test("that died is told by its level, and set again by the next command", async () => {
    const { tools, clock, open } = machine(version);
    await using output = await (await open()).output(PIN, 1);
    tools.kill(PIN);
    await clock.advance(1);
    await expect(output.level()).rejects.toMatchObject({ code: "FILE_IO" });
    await output.set(1);
    expect(await output.level()).toBe(1);
  });
});

describe("the backend", () => {
  function both(withSysfs = true) {
    const clock = new FakeClock();
    const tools = new FakeGpiod(1, clock);
    const label = withSysfs ? "pinctrl-bcm2711" : "another";
    const sysfs = new FakeSysfsGpio(clock, [{ label, base: BASE, lines: 58 }]);
    return { tools, sysfs, open: () => openPins({ files: sysfs, clock, openLine: sysfs.openLine, tools }) };
  }

  test("is sysfs where nothing else is asked for, and for outputs", async () => {
    const { tools, sysfs, open } = both();
    await using gpio = await open();
    await gpio.input(PIN);
    await gpio.output(18, 1);
    expect([sysfs.exported(BASE + PIN), sysfs.exported(BASE + 18), tools.started]).toEqual([true, true, 0]);
  });

  test.each([{ pull: "up" }, { kernelTime: true }] as const)("is gpiod for %o", async (wishes) => {
    const { tools, sysfs, open } = both();
    await using gpio = await open();
    await gpio.input(PIN, wishes);
    expect([sysfs.exported(BASE + PIN), tools.started]).toEqual([false, 1]);
  });

  test("is gpiod where sysfs is missing", async () => {
    const { tools, open } = both(false);
    await using gpio = await open();
    expect(gpio.name).toBe("pinctrl-bcm2711");
    await gpio.input(PIN);
    await gpio.output(18, 1);
    expect(tools.started).toBe(2);
  });

  test("without libgpiod's tools: a pull resistor is refused, the kernel's time is done without", async () => {
    const { tools, sysfs, open } = both();
    tools.installed = false;
    await using gpio = await open();
    await expect(gpio.input(PIN, { pull: "up" })).rejects.toMatchObject({ code: "TOOL_MISSING" });
    await gpio.input(PIN, { kernelTime: true });
    expect(sysfs.exported(BASE + PIN)).toBe(true);
  });

  test("with neither is PIN_MISSING, and says what was looked for", async () => {
    const { tools, open } = both(false);
    tools.label = "pinctrl-other";
    await expect(open()).rejects.toMatchObject({
      code: "PIN_MISSING",
      message: expect.stringMatching(/found: another.*found: raspberrypi-exp-gpio, pinctrl-other/),
    });
  });

  test("gpiod takes over an input's export that a crash left in sysfs, and no output's", async () => {
    const { sysfs, open } = both();
    await sysfs.write("/sys/class/gpio/export", String(BASE + PIN));
    await using gpio = await open();
    await gpio.input(PIN, { pull: "up" });
    expect(sysfs.exported(BASE + PIN)).toBe(false);
    await sysfs.write("/sys/class/gpio/export", String(BASE + 18));
    sysfs.setDirection(BASE + 18, "out");
    await expect(gpio.input(18, { pull: "up" })).rejects.toMatchObject({ code: "PIN_BUSY" });
  });
});
