import { describe, expect, test } from "vitest";
import { openExpander } from "../../../src/hardware/expander/models.ts";
import type { Edge, Level } from "../../../src/hardware/gpio.ts";
import { Pcf857xChip } from "../../../src/hardware/simulated/chips/pcf857x.ts";
import { SimulatedGpio } from "../../../src/hardware/simulated/gpio.ts";
import { SimulatedI2cBus } from "../../../src/hardware/simulated/i2c-bus.ts";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";
import { FakeClock } from "../../fakes/clock.ts";

const ADDRESS = 0x38;

function wired(ports: 1 | 2, interruptPin: number | undefined) {
  const clock = new FakeClock();
  const bus = new SimulatedI2cBus("i2c-1", clock);
  const outside = new Map<number, Level>();
  const chip = new Pcf857xChip(ports, (pin) => outside.get(pin));
  bus.plug(ADDRESS, chip);
  const board = new SimulatedGpio(simulatedWorld(clock), clock);
  if (interruptPin !== undefined) {
    board.drive(interruptPin, 1);
    chip.onInterrupt = (level) => board.drive(interruptPin, level);
  }
  const model = ports === 2 ? "pcf8575" : "pcf8574";
  const place = { model, bus: "i2c-1", address: ADDRESS, pollMs: 20, interruptPin } as const;
  const gpio = openExpander(place, bus, clock, async (pin) => await board.input(pin));
  const drive = (pin: number, level: Level) => {
    outside.set(pin, level);
    chip.moved();
  };
  return { chip, clock, drive, gpio };
}

describe.each([
  ["PCF8574, polled", 1, undefined, 6],
  ["PCF8575, by its interrupt", 2, 25, 13],
] as const)("%s", (_name, ports, interruptPin, pin) => {
  test("an input is at 1 until something pulls it low, and tells both edges", async () => {
    const { clock, drive, gpio } = wired(ports, interruptPin);
    await using input = await gpio.input(pin);
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    expect(await input.level()).toBe(1);
    for (const level of [0, 1] as const) {
      drive(pin, level);
      await clock.advance(50);
      expect(await input.level()).toBe(level);
    }
    expect(edges.map(({ level }) => level)).toEqual([0, 1]);
  });

  test("an output begins with its first level, is set, and is read back from the pin", async () => {
    const { chip, drive, gpio } = wired(ports, interruptPin);
    await using output = await gpio.output(pin, 0);
    expect([chip.isLow(pin), await output.level()]).toEqual([true, 0]);
    await output.set(1);
    expect([chip.isLow(pin), await output.level()]).toEqual([false, 1]);
    drive(pin, 0);
    expect(await output.level()).toBe(0);
  });

  test("an input is never driven, whatever its neighbours do and whatever is at it", async () => {
    const { chip, drive, gpio } = wired(ports, interruptPin);
    drive(pin, 0);
    await using _input = await gpio.input(pin);
    await using output = await gpio.output(pin - 1, 1);
    for (const level of [0, 1, 0] as const) {
      await output.set(level);
      expect(chip.isLow(pin)).toBe(false);
    }
  });

  test("an output that a brown-out let go is driven low again within a second", async () => {
    const { chip, clock, gpio } = wired(ports, interruptPin);
    await using _output = await gpio.output(pin, 0);
    chip.reset();
    expect(chip.isLow(pin)).toBe(false);
    await clock.advance(1100);
    expect([chip.isLow(pin), gpio.resets]).toEqual([true, 1]);
  });

  test("a pin is claimed once, and refuses pull resistors that it has not", async () => {
    const { gpio } = wired(ports, interruptPin);
    await using _input = await gpio.input(pin, { pull: "up" });
    await expect(gpio.output(pin, 1)).rejects.toMatchObject({ code: "PIN_BUSY" });
    await expect(gpio.input(8 * ports)).rejects.toMatchObject({ code: "PIN_MISSING" });
    await expect(gpio.input(0, { pull: "off" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});
