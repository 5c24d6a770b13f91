import { describe, expect, test } from "vitest";
import { decode as decodeIna219, ina219 } from "../../src/drivers/ina219.ts";
import { decode as decodeIna226, ina226 } from "../../src/drivers/ina226.ts";
import { decode as decodeIna260, ina260 } from "../../src/drivers/ina260.ts";
import { decode as decodeIna3221, ina3221 } from "../../src/drivers/ina3221.ts";
import { ina219Chip } from "../../src/hardware/simulated/chips/ina219.ts";
import { ina226Chip } from "../../src/hardware/simulated/chips/ina226.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;

describe("ina219", () => {
  const [example] = vectorsOf("ina219");
  const { shunt, bus, R } = example!.input;

  test("computes the datasheet's example", () => {
    const { values } = decodeIna219(Number(bus), Number(shunt), { shunt: R, range: 40 });
    expect(values.voltage).toBeCloseTo(example!.expect.busV, 9);
    expect(values.current).toBeCloseTo(10, 9);
    expect(values.power).toBeCloseTo(119.8, 6);
  });

  test("reads currents that flow back", () => {
    const { values } = decodeIna219(0x5d98, 0xf830, { shunt: 0.1, range: 320 });
    expect(values.shunt_voltage).toBeCloseTo(-0.02, 9);
    expect(values.current).toBeCloseTo(-0.2, 9);
    expect(values.power).toBeCloseTo(-2.396, 9);
  });

  test("is saturated at the end of the shunt's range", () => {
    const quality = (word: number, range: 40 | 320) => decodeIna219(0, word, { shunt: 0.1, range }).quality?.current;
    expect([quality(4000, 40), quality(3999, 40), quality(0xf060, 40)]).toEqual(["saturated", undefined, "saturated"]);
    expect([quality(32_000, 320), quality(31_999, 320)]).toEqual(["saturated", undefined]);
  });

  test.each([1, 16, 128])(
    "waits out %i samples, and needs no calibration that a brown-out could erase",
    async (averaging) => {
      const { clock, hardware, open, letPass } = bench(ina219, { averaging });
      const sensor = await letPass(open());
      (await hardware.i2c("sim")).plug(0x40, ina219Chip(simulatedWorld(clock)));
      const { values } = await letPass(sensor.read(never));
      expect(values.voltage).toBeCloseTo(simulatedWorld(clock).voltageV(), 1);
      expect(values.current).toBeCloseTo(simulatedWorld(clock).currentA(), 2);
    },
  );

  test("notices a brown-out while it measures", async () => {
    const { clock, hardware, open, letPass } = bench(ina219, { averaging: 128 });
    const sensor = await letPass(open());
    const reading = sensor.read(never);
    reading.catch(() => undefined);
    await clock.advance(20);
    (await hardware.i2c("sim")).plug(0x40, ina219Chip(simulatedWorld(clock)));
    await expect(letPass(reading)).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("is told from an INA226, and the other way round", async () => {
    const meant219 = bench(ina219);
    (await meant219.hardware.i2c("sim")).plug(0x40, ina226Chip(simulatedWorld(meant219.clock)));
    await expect(meant219.letPass(meant219.open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
    const meant226 = bench(ina226);
    (await meant226.hardware.i2c("sim")).plug(0x40, ina219Chip(simulatedWorld(meant226.clock)));
    await expect(meant226.letPass(meant226.open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});

describe("ina226", () => {
  test("computes the datasheet's example", () => {
    const [{ input, expect: expected }] = vectorsOf("ina226") as [ReturnType<typeof vectorsOf>[number]];
    const { values } = decodeIna226(Number(input.bus), Number(input.shunt), input.R);
    expect(values.voltage).toBeCloseTo(expected.busV, 9);
    expect(values.current).toBeCloseTo(10, 9);
    expect(values.power).toBeCloseTo(119.8, 6);
  });

  test("is saturated at either end", () => {
    expect(decodeIna226(0, 0x7fff, 0.1).quality?.current).toBe("saturated");
    expect(decodeIna226(0, 0x8000, 0.1).quality?.current).toBe("saturated");
    expect(decodeIna226(0, 0x8001, 0.1).quality).toBeUndefined();
  });

  test.each([1, 64, 1024])("waits out %i averages", async (averaging) => {
    const { clock, open, letPass } = bench(ina226, { averaging });
    const sensor = await letPass(open());
    const { values } = await letPass(sensor.read(never));
    expect(values.voltage).toBeCloseTo(simulatedWorld(clock).voltageV(), 1);
    expect(values.current).toBeCloseTo(simulatedWorld(clock).currentA() / 4, 2);
  });
});

describe("ina260", () => {
  const [voltage, current, power] = vectorsOf("ina260");

  test("decodes its three registers", () => {
    const words = [voltage!.input.bus, current!.input.current, power!.input.power].map(Number) as [
      number,
      number,
      number,
    ];
    expect(decodeIna260(...words).values).toEqual({
      voltage: expect.closeTo(voltage!.expect.V, 9),
      current: expect.closeTo(current!.expect.A, 9),
      power: expect.closeTo(power!.expect.W, 9),
    });
    expect(decodeIna260(0, 0xd8f0, 0).values.current).toBeCloseTo(-12.5, 9);
    expect(decodeIna260(0, 0x8000, 0).quality).toEqual({ current: "saturated", power: "saturated" });
  });

  test.each([1, 1024])("waits out %i averages", async (averaging) => {
    const { clock, open, letPass } = bench(ina260, { averaging });
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values.current).toBeCloseTo(simulatedWorld(clock).currentA(), 2);
  });
});

describe("ina3221", () => {
  test("decodes the upper 13 bits, in both directions", () => {
    const { values } = decodeIna3221(0x2ee0, 0x0fa0, 0.1);
    expect(values).toEqual({
      voltage: expect.closeTo(12, 9),
      current: expect.closeTo(0.2, 9),
      power: expect.closeTo(2.4, 9),
    });
    expect(decodeIna3221(0x2ee0, 0xf060, 0.1).values.current).toBeCloseTo(-0.2, 9);
    expect(decodeIna3221(0, 0x7ff8, 0.1).quality?.current).toBe("saturated");
    expect(decodeIna3221(0, 0x8000, 0.1).quality?.current).toBe("saturated");
    expect(decodeIna3221(0, 0x7ff0, 0.1).quality).toBeUndefined();
  });

  test("measures the inputs that it is told, and no other", async () => {
    const { open, letPass } = bench(ina3221, { inputs: [3], averaging: 64 });
    const sensor = await letPass(open());
    expect(Object.keys((await letPass(sensor.read(never))).values)).toEqual(["voltage_3", "current_3", "power_3"]);
  });
});
