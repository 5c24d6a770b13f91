import { describe, expect, test } from "vitest";
import { decode, hts221, linesOf } from "../../src/drivers/hts221.ts";
import type { World } from "../../src/hardware/simulated/chip.ts";
import { hts221Chip } from "../../src/hardware/simulated/chips/hts221.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;
const badValue = expect.objectContaining({ code: "BAD_VALUE" });

describe("hts221", () => {
  test.each(vectorsOf("hts221"))("computes $input.output as the kernel does", ({ input, expect: expected }) => {
    const { temperature, humidity } = decode(bytes(input.output), linesOf(bytes(input.calibration)));
    expect(temperature).toBeCloseTo(expected.temperature, 5);
    expect(humidity).toBeCloseTo(expected.humidity, 5);
  });

  test("refuses a calibration that makes no line", () => {
    expect(() => linesOf(new Uint8Array(16))).toThrow(badValue);
    expect(() => linesOf(new Uint8Array(16).fill(0xff))).toThrow(badValue);
  });

  test("never takes an older measurement for the one it asked for", async () => {
    const { clock, hardware, open, letPass } = bench(hts221);
    let celsius = 20;
    const world: World = { ...simulatedWorld(clock), temperatureC: () => celsius };
    const chip = hts221Chip(world);
    (await hardware.i2c("sim")).plug(0x5f, chip);
    const sensor = await letPass(open());
    // Somebody else measured, and left it.
    chip.write(Uint8Array.of(0x20, 0x84));
    chip.write(Uint8Array.of(0x21, 0x01));
    await clock.advance(100);
    celsius = 30;
    expect((await letPass(sensor.read(never))).values.temperature).toBeCloseTo(30, 1);
  });

  test("is on again after a brown-out, and says so when it does not measure", async () => {
    const { clock, hardware, open, letPass } = bench(hts221);
    const bus = await hardware.i2c("sim");
    const sensor = await letPass(open());
    bus.plug(0x5f, hts221Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.humidity).toBeGreaterThan(0);
    const chip = hts221Chip(simulatedWorld(clock));
    const write = (sent: Uint8Array) => (sent[0] === 0x21 ? undefined : chip.write(sent));
    bus.plug(0x5f, { ...chip, write });
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "NOT_READY" });
  });
});
