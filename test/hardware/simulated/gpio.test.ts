import { describe, expect, test } from "vitest";
import type { Edge } from "../../../src/hardware/gpio.ts";
import { SimulatedGpio } from "../../../src/hardware/simulated/gpio.ts";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";
import { gpioContract } from "../../contracts/gpio.ts";
import { FakeClock } from "../../fakes/clock.ts";

gpioContract("simulated", async () => {
  const clock = new FakeClock();
  const gpio = new SimulatedGpio({ ...simulatedWorld(clock), contact: () => 0 }, clock);
  return {
    gpio,
    pin: 17,
    missing: 28,
    driven: async () => gpio.level(17),
    drive: async (level) => gpio.drive(17, level),
    settle: () => clock.advance(1),
  };
});

describe("a simulated pin that nobody drives", () => {
  test("follows the world's contact and reports its edges", async () => {
    const clock = new FakeClock();
    const world = simulatedWorld(clock);
    await using gpio = new SimulatedGpio(world, clock);
    const input = await gpio.input(4);
    const edges: Edge[] = [];
    input.onEdge((edge) => edges.push(edge));
    await clock.advance(120_000);
    expect(edges).toHaveLength(6);
    expect(await input.level()).toBe(world.contact(4));
  });

  test("nobody sleeps on after the port was disposed of", async () => {
    const clock = new FakeClock();
    const gpio = new SimulatedGpio(simulatedWorld(clock), clock);
    (await gpio.input(4)).onEdge(() => undefined);
    await clock.advance(500);
    await gpio[Symbol.asyncDispose]();
    expect(clock.sleeping).toBe(0);
  });
});
