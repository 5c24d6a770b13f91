import { describe, expect, test } from "vitest";
import { checkedWords } from "../../src/drivers/crc.ts";
import { decode as decodeScd4x, isReady, scd4x } from "../../src/drivers/scd4x.ts";
import { decode as decodeScd30, scd30 } from "../../src/drivers/scd30.ts";
import { commandFrame } from "../../src/drivers/sensirion.ts";
import { scd4xChip } from "../../src/hardware/simulated/chips/scd4x.ts";
import { sensirionWord } from "../../src/hardware/simulated/chips/sensirion.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;
const badValue = expect.objectContaining({ code: "BAD_VALUE" });

describe("scd4x", () => {
  const vectors = vectorsOf("scd4x");

  test.each(vectors.filter(({ input }) => input.bytes))("decodes $input.bytes", ({ input, expect: expected }) => {
    const { co2, temperature, humidity } = decodeScd4x(bytes(input.bytes));
    expect(co2).toBe(expected.co2);
    expect(temperature).toBeCloseTo(expected.temperatureC, 2);
    expect(humidity).toBeCloseTo(expected.humidityPct, 2);
  });

  test.each(vectors.filter(({ input }) => input.ready))(
    "takes $input.ready for $expect.ready",
    ({ input, expect: e }) => {
      expect(isReady(checkedWords(bytes(input.ready)))).toBe(e.ready);
    },
  );

  test("does not take 0 ppm for a value", () => {
    expect(() => decodeScd4x(Uint8Array.from([0, 0x6667, 0x5eb9].flatMap(sensirionWord)))).toThrow(badValue);
  });

  test("takes over a chip that a program before us left measuring, and says which it is", async () => {
    const { hardware, open, letPass } = bench(scd4x);
    const bus = await hardware.i2c("sim");
    await letPass(bus.transfer([{ address: 0x62, write: Uint8Array.of(0x21, 0xb1) }]));
    expect(await letPass(open())).toMatchObject({ model: "SCD41", serial: "f8969f073bbe" });
  });

  test("sends the settings that it is given", async () => {
    const options = { temperature_offset: 3, altitude: 500, pressure: 950, self_calibration: "off" };
    const { open, letPass } = bench(scd4x, options);
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values.co2).toBeGreaterThan(400);
  });

  test("waits for data of its own, every 5 s or every 30", async () => {
    for (const [mode, periodMs] of [
      ["periodic", 5000],
      ["low_power", 30_000],
    ] as const) {
      const { clock, open, letPass } = bench(scd4x, { mode });
      const sensor = await letPass(open());
      await clock.advance(periodMs);
      await letPass(sensor.read(never));
      await clock.advance(periodMs - 5000);
      const startMs = clock.monoMs();
      await letPass(sensor.read(never));
      expect(clock.monoMs() - startMs).toBeGreaterThan(4000);
    }
  });

  test("starts a chip again that a brown-out left idle", async () => {
    const { clock, hardware, open, letPass } = bench(scd4x);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x62, scd4xChip(simulatedWorld(clock)));
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "NOT_READY" });
    expect((await letPass(sensor.read(never))).values.co2).toBeGreaterThan(400);
  });
});

describe("scd30", () => {
  const [frame, interval] = vectorsOf("scd30");

  test("decodes the worked example", () => {
    const { co2, temperature, humidity } = decodeScd30(bytes(frame!.input.bytes));
    expect(co2).toBeCloseTo(frame!.expect.co2, 4);
    expect(temperature).toBeCloseTo(frame!.expect.temperatureC, 5);
    expect(humidity).toBeCloseTo(frame!.expect.humidityPct, 5);
  });

  test("frames a command as the datasheet shows", () => {
    expect(Uint8Array.from(commandFrame(0x4600, interval!.input.setInterval))).toEqual(bytes(interval!.expect.bytes));
  });

  test("does not take 0 ppm, or what is no number, for a value", () => {
    const of = (...words: number[]) => Uint8Array.from(words.flatMap(sensirionWord));
    expect(() => decodeScd30(of(0, 0, 0x41d9, 0x70e7, 0x4243, 0xbf3a))).toThrow(badValue);
    expect(() => decodeScd30(of(0x7fc0, 0, 0x41d9, 0x70e7, 0x4243, 0xbf3a))).toThrow(badValue);
  });

  test("sends the settings that it is given, and waits as long as the chip then takes", async () => {
    const { clock, open, letPass } = bench(scd30, { measurement_interval: 10, altitude: 300, temperature_offset: 1.5 });
    const sensor = await letPass(open());
    const startMs = clock.monoMs();
    expect((await letPass(sensor.read(never))).values.co2).toBeGreaterThan(400);
    expect(clock.monoMs() - startMs).toBeGreaterThan(9000);
  });
});
