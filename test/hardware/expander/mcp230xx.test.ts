import { describe, expect, test } from "vitest";
import { openExpander } from "../../../src/hardware/expander/models.ts";
import type { Edge, Level } from "../../../src/hardware/gpio.ts";
import { Mcp230xxChip } from "../../../src/hardware/simulated/chips/mcp230xx.ts";
import { SimulatedGpio } from "../../../src/hardware/simulated/gpio.ts";
import { SimulatedI2cBus } from "../../../src/hardware/simulated/i2c-bus.ts";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";
import { gpioContract } from "../../contracts/gpio.ts";
import { FakeClock } from "../../fakes/clock.ts";

const ADDRESS = 0x20;
const INTERRUPT_PIN = 25;
const POLL_MS = 20;

interface Wiring {
  readonly ports?: 1 | 2;
  readonly interrupt?: boolean;
}

function wired({ ports = 2, interrupt = false }: Wiring = {}) {
  const clock = new FakeClock();
  const bus = new SimulatedI2cBus("i2c-1", clock);
  const outside = new Map<number, Level>();
  const chip = new Mcp230xxChip(ports, (pin) => outside.get(pin));
  bus.plug(ADDRESS, chip);
  const board = new SimulatedGpio(simulatedWorld(clock), clock);
  board.drive(INTERRUPT_PIN, 1);
  chip.onInterrupt = (level) => board.drive(INTERRUPT_PIN, level);
  const model = ports === 2 ? "mcp23017" : "mcp23008";
  const place = { model, bus: "i2c-1", address: ADDRESS, pollMs: POLL_MS } as const;
  const gpio = openExpander(
    { ...place, ...(interrupt && { interruptPin: INTERRUPT_PIN }) },
    bus,
    clock,
    async (pin) => await board.input(pin),
  );
  const drive = (pin: number, level: Level) => {
    outside.set(pin, level);
    chip.moved();
  };
  return { board, bus, chip, clock, drive, gpio };
}

function subject(wiring: Wiring, pin: number, missing: number) {
  return async () => {
    const { chip, clock, drive, gpio } = wired(wiring);
    return {
      ...{ gpio, pin, missing },
      driven: async () => (chip.isDriven(pin) ? chip.level(pin) : expect.fail("the pin is not driven")),
      drive: async (level: Level) => drive(pin, level),
      settle: () => clock.advance(2 * POLL_MS),
    };
  };
}

gpioContract("MCP23017, polled", subject({}, 3, 16));
gpioContract("MCP23017's second port, by its interrupt", subject({ interrupt: true }, 12, 16));
gpioContract("MCP23008, polled", subject({ ports: 1 }, 7, 8));

async function watched(wiring: Wiring, pin = 3) {
  const it = wired(wiring);
  const input = await it.gpio.input(pin);
  const edges: Edge[] = [];
  input.onEdge((edge) => edges.push(edge));
  return { ...it, edges, input };
}

describe("an input of an MCP23017", () => {
  test("that is polled sees a pulse that is shorter than the pause between two looks", async () => {
    const { clock, drive, edges } = await watched({});
    await clock.advance(POLL_MS);
    drive(3, 1);
    drive(3, 0);
    await clock.advance(2 * POLL_MS);
    expect(edges.map(({ level }) => level)).toEqual([1, 0]);
  });

  test("with an interrupt is told at once, at the interrupt's time, and costs little otherwise", async () => {
    const { bus, clock, drive, edges } = await watched({ interrupt: true });
    let transfers = 0;
    const transfer = bus.transfer.bind(bus);
    bus.transfer = (list) => {
      transfers++;
      return transfer(list);
    };
    await clock.advance(1);
    drive(3, 1);
    const atMs = clock.monoMs();
    await clock.advance(0);
    expect(edges).toEqual([{ level: 1, monoMs: atMs }]);
    transfers = 0;
    await clock.advance(10_000);
    expect(transfers).toBeGreaterThanOrEqual(10);
    expect(transfers).toBeLessThan(60);
  });

  test("whose interrupt nobody heard is seen within a second", async () => {
    const { board, chip, clock, drive, edges } = await watched({ interrupt: true });
    await clock.advance(1);
    chip.onInterrupt = () => undefined;
    board.drive(INTERRUPT_PIN, 1);
    drive(3, 1);
    await clock.advance(1500);
    expect(edges.map(({ level }) => level)).toEqual([1]);
  });

  test("is pulled up where that is asked for, and refuses what the chip has not", async () => {
    const { chip, gpio } = wired();
    await using input = await gpio.input(9, { pull: "up" });
    expect([chip.level(9), await input.level()]).toEqual([1, 1]);
    await expect(gpio.input(10, { pull: "down" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    await using other = await gpio.input(10, { pull: "off" });
    expect(await other.level()).toBe(0);
  });

  test("reads as a fault while the chip is away, and hears again once it is back and was reset", async () => {
    const { bus, chip, clock, drive, edges, gpio, input } = await watched({}, 12);
    bus.unplug(ADDRESS);
    await expect(input.level()).rejects.toMatchObject({ code: "BUS_NACK" });
    await clock.advance(5000);
    chip.reset();
    bus.plug(ADDRESS, chip);
    await clock.advance(3000);
    drive(12, 1);
    await clock.advance(100);
    expect(edges.map(({ level }) => level)).toEqual([1]);
    expect(gpio.resets).toBe(1);
  });
});

describe("an output of an MCP23017", () => {
  test("is never at another level than its first, and leaves its neighbours alone", async () => {
    const { chip, gpio } = wired();
    const seen: Level[] = [];
    const write = chip.write.bind(chip);
    chip.write = (bytes) => {
      write(bytes);
      if (chip.isDriven(2)) seen.push(chip.level(2));
    };
    await using _neighbour = await gpio.output(1, 1);
    await using _output = await gpio.output(2, 1);
    await using _input = await gpio.input(3);
    expect(new Set(seen)).toEqual(new Set([1]));
    expect([chip.isDriven(1), chip.level(1), chip.isDriven(3), chip.isDriven(15)]).toEqual([true, 1, false, false]);
  });

  test("is driven again within a second after a brown-out, and that is counted", async () => {
    const { chip, clock, gpio } = wired();
    await using output = await gpio.output(2, 1);
    chip.reset();
    expect(await output.level()).toBe(0);
    await clock.advance(1100);
    expect([chip.isDriven(2), chip.level(2), await output.level(), gpio.resets]).toEqual([true, 1, 1, 1]);
  });

  test("goes on when it is given back, and is taken over as it is by the next process", async () => {
    const { bus, chip, clock, gpio } = wired();
    const output = await gpio.output(2, 1);
    await output[Symbol.asyncDispose]();
    await gpio[Symbol.asyncDispose]();
    const place = { model: "mcp23017", bus: "i2c-1", address: ADDRESS, pollMs: POLL_MS } as const;
    await using next = openExpander(place, bus, clock, () => Promise.reject(new Error("no pin")));
    await using _input = await next.input(5);
    expect([chip.isDriven(2), chip.level(2)]).toEqual([true, 1]);
  });

  test("is found where another program has set the registers apart (BANK), or turned its inputs round (IPOL)", async () => {
    const { bus, chip, gpio } = wired();
    await bus.transfer([
      { address: ADDRESS, write: Uint8Array.of(0x02, 0xff, 0xff) },
      { address: ADDRESS, write: Uint8Array.of(0x0a, 0x80) },
    ]);
    await using output = await gpio.output(10, 1);
    expect([chip.isDriven(10), chip.level(10), await output.level()]).toEqual([true, 1, 1]);
  });
});

test("an expander that nobody uses any more is left alone, and lets its interrupt's pin go", async () => {
  const { board, clock, gpio } = wired({ interrupt: true });
  const input = await gpio.input(0);
  await expect(board.input(INTERRUPT_PIN)).rejects.toMatchObject({ code: "PIN_BUSY" });
  await input[Symbol.asyncDispose]();
  await using _free = await board.input(INTERRUPT_PIN);
  await clock.advance(0);
  expect(clock.sleeping).toBe(0);
});

test("a check of one that nobody uses says whether it is there, and changes nothing", async () => {
  const { bus, chip, gpio } = wired();
  const written: number[][] = [];
  const write = chip.write.bind(chip);
  chip.write = (bytes) => {
    if (bytes.length > 1) written.push([...bytes]);
    write(bytes);
  };
  await gpio.check();
  expect(written).toEqual([]);
  bus.unplug(ADDRESS);
  await expect(gpio.check()).rejects.toMatchObject({ code: "BUS_NACK" });
});
