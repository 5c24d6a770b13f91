import { describe, expect, test } from "vitest";
import { aht10, aht20, decode as decodeAht20 } from "../../src/drivers/aht20.ts";
import { crc8 } from "../../src/drivers/crc.ts";
import { decode as decodeHdc302x, hdc302x } from "../../src/drivers/hdc302x.ts";
import { decode as decodeHdc1080, hdc1080 } from "../../src/drivers/hdc1080.ts";
import { checkedWord, htu21d, celsius as htuCelsius, percent as htuPercent } from "../../src/drivers/htu21d.ts";
import { sht3x } from "../../src/drivers/sht3x.ts";
import { decode as decodeShtc3, shtc3 } from "../../src/drivers/shtc3.ts";
import { aht20Chip } from "../../src/hardware/simulated/chips/aht20.ts";
import { hdc302xChip } from "../../src/hardware/simulated/chips/hdc302x.ts";
import { ina219Chip } from "../../src/hardware/simulated/chips/ina219.ts";
import { sht3xChip } from "../../src/hardware/simulated/chips/sht3x.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;
const checksum = expect.objectContaining({ code: "CHECKSUM" });

describe("aht20", () => {
  test.each(vectorsOf("aht20"))("decodes $input.bytes", ({ input, expect: expected }) => {
    const { temperature, humidity } = decodeAht20(bytes(input.bytes));
    const digits = expected.tol ? 0 : 4;
    expect(temperature).toBeCloseTo(expected.temperatureC, digits);
    expect(humidity).toBeCloseTo(expected.humidityPct, digits);
  });

  test("refuses a frame with a flipped bit, whichever it is", () => {
    const good = bytes(vectorsOf("aht20")[0]!.input.bytes);
    for (let bit = 0; bit < 56; bit++) {
      const bad = good.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(() => decodeAht20(bad)).toThrow(checksum);
    }
  });

  test.each([aht20, aht10])("initializes a $name that lost its supply, and reads on", async (driver) => {
    const { clock, hardware, open, letPass } = bench(driver);
    const sensor = await letPass(open());
    await letPass(sensor.read(never));
    if (driver === aht10) return;
    (await hardware.i2c("sim")).plug(0x38, aht20Chip(simulatedWorld(clock)));
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "BAD_VALUE" });
    expect((await letPass(sensor.read(never))).values.temperature).toBeGreaterThan(10);
  });
});

describe("aht10", () => {
  const plugged = async (answer: (command: number | undefined, sinceMs: number) => number[]) => {
    const { clock, hardware, open, letPass } = bench(aht10);
    let command: number | undefined;
    let sinceMs = 0;
    (await hardware.i2c("sim")).plug(0x38, {
      write([first]) {
        command = first;
        sinceMs = clock.monoMs();
      },
      read: (length) => Uint8Array.from(answer(command, clock.monoMs() - sinceMs)).subarray(0, length),
    });
    return { clock, sensor: letPass(open()), letPass };
  };

  test("waits for an initialization of 350 ms, as Linux does", async () => {
    const { clock, sensor } = await plugged((command, sinceMs) =>
      command === 0xe1 ? [sinceMs < 340 ? 0x80 : 0x08] : [0x00],
    );
    await sensor;
    expect(clock.monoMs()).toBeGreaterThanOrEqual(3_600_000 + 340);
  });

  test("without a checksum does not take zeros for a humidity of 0 %", async () => {
    const { sensor, letPass } = await plugged(() => [0x18, 0, 0, 0, 0, 0]);
    await expect(letPass((await sensor).read(never))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test.each([
    ["18 80 00 06 00 00", 25, 50],
    ["18 12 34 53 33 33", -10, 7.1111],
    ["18 ff ff f4 00 00", 0, 100],
  ])("decodes %s", async (frame, temperature, humidity) => {
    const { sensor, letPass } = await plugged(() => [...bytes(frame)]);
    const { values } = await letPass((await sensor).read(never));
    expect(values).toEqual({ temperature: expect.closeTo(temperature, 3), humidity: expect.closeTo(humidity, 3) });
  });
});

describe("htu21d", () => {
  const [...vectors] = vectorsOf("htu21d");

  test.each(vectors.filter(({ input }) => input.bytes))(
    "has the CRC of $input.bytes",
    ({ input, expect: expected }) => {
      expect(crc8(bytes(input.bytes), 0x00)).toBe(Number(expected.crc));
    },
  );

  test("decodes words, without their status bits", () => {
    const { input, expect: expected } = vectors.find((vector) => vector.input.rawT)!;
    expect(htuCelsius(Number(input.rawT))).toBeCloseTo(expected.temperatureC, 1);
    expect(htuPercent(Number(input.rawRH))).toBeCloseTo(expected.humidityPct, 1);
    const word = [0x68, 0x3b];
    expect(checkedWord(Uint8Array.of(...word, crc8(Uint8Array.from(word), 0x00)))).toBe(0x6838);
    expect(() => checkedWord(Uint8Array.of(0x68, 0x3a, 0x7d))).toThrow(checksum);
    expect(() => checkedWord(Uint8Array.of(0, 0, 0))).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test.each([
    ["68 3a 7c", 24.686, "7c 80 f5", 54.791],
    ["1c 20 5c", -27.545, "4e 85 6b", 32.338],
    ["44 2c f1", -0.056, "0c 4a 52", 0],
    ["20 00 dc", -24.885, "ff fe 1c", 100],
  ])("reads %s as %d °C and %s as %d %% on the bus", async (first, temperature, second, humidity) => {
    const { hardware, open, letPass } = bench(htu21d);
    let frame: Uint8Array = Uint8Array.of();
    (await hardware.i2c("sim")).plug(0x40, {
      write([command]) {
        frame = command === 0xf3 ? bytes(first) : command === 0xf5 ? bytes(second) : Uint8Array.of(0x02, 0, 0);
      },
      read: (length) => frame.subarray(0, length),
    });
    const { values } = await letPass((await letPass(open())).read(never));
    expect(values).toEqual({ temperature: expect.closeTo(temperature, 3), humidity: expect.closeTo(humidity, 3) });
  });

  test("cuts a humidity just outside 0 to 100 %", () => {
    expect([0, 0xfffc].map(htuPercent)).toEqual([0, 100]);
  });

  test("tells the Si70xx by their electronic id", async () => {
    const { open, letPass } = bench(htu21d);
    expect(await letPass(open())).toMatchObject({ model: "Si7021" });
  });

  test("does not take an INA219 at the same address for one", async () => {
    const { clock, hardware, open, letPass } = bench(htu21d);
    (await hardware.i2c("sim")).plug(0x40, ina219Chip(simulatedWorld(clock)));
    await expect(letPass(open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});

describe("shtc3", () => {
  test("decodes a frame of the wild", () => {
    const [{ input, expect: expected }] = vectorsOf("shtc3") as [ReturnType<typeof vectorsOf>[number]];
    const { temperature, humidity } = decodeShtc3(bytes(input.bytes));
    expect(temperature).toBeCloseTo(expected.temperatureC, 2);
    expect(humidity).toBeCloseTo(expected.humidityPct, 2);
  });

  test.each(["normal", "low_power"])("wakes, waits out the mode %s, and sleeps again", async (mode) => {
    const { hardware, open, letPass } = bench(shtc3, { mode });
    const sensor = await letPass(open());
    await letPass(sensor.read(never));
    await letPass(sensor.read(never));
    const bus = await hardware.i2c("sim");
    const asleep = bus.transfer([{ address: 0x70, write: Uint8Array.of(0xef, 0xc8) }]);
    await expect(letPass(asleep)).rejects.toMatchObject({ code: "BUS_NACK" });
  });
});

describe("hdc1080", () => {
  test("decodes words, from -40 to 125 °C", () => {
    const [{ input, expect: expected }] = vectorsOf("hdc1080") as [ReturnType<typeof vectorsOf>[number]];
    const of = (...words: number[]) =>
      decodeHdc1080(Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff])));
    const { temperature, humidity } = of(Number(input.rawT), Number(input.rawRH));
    expect(temperature).toBeCloseTo(expected.temperatureC, 2);
    expect(humidity).toBeCloseTo(expected.humidityPct, 2);
    expect(of(0, 4)).toEqual({ temperature: -40, humidity: expect.closeTo(0.0061, 4) });
    expect(of(0x3e0c, 0)).toEqual({ temperature: expect.closeTo(-0.0089, 4), humidity: 0 });
    expect(of(0x2000, 0x4000)).toEqual({ temperature: -19.375, humidity: 25 });
    expect(of(0x6664, 0x8000)).toEqual({ temperature: expect.closeTo(25.994, 3), humidity: 50 });
    expect(of(0xfffc, 0xfffc).temperature).toBeCloseTo(125, 1);
  });

  test.each([
    ["after a reset (SNAS672A, table 1)", "00 00 00 00"],
    ["of a bus that stays high", "FF FF FF FF"],
    ["where the humidity was not measured", "66 64 FF FF"],
  ])("refuses what it shows %s", (_when, frame) => {
    expect(() => decodeHdc1080(bytes(frame))).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("is told from an INA219 at the same address", async () => {
    const { clock, hardware, open, letPass } = bench(hdc1080);
    (await hardware.i2c("sim")).plug(0x40, ina219Chip(simulatedWorld(clock)));
    await expect(letPass(open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});

describe("hdc302x", () => {
  test("decodes a frame of the wild", () => {
    const [{ input, expect: expected }] = vectorsOf("hdc302x") as [ReturnType<typeof vectorsOf>[number]];
    const { temperature, humidity } = decodeHdc302x(bytes(input.bytes));
    expect(temperature).toBeCloseTo(expected.temperatureC, 3);
    expect(humidity).toBeCloseTo(expected.humidityPct, 3);
  });

  test.each([
    ["00 00 81 80 00 A2", -45, 50.0008],
    ["41 D4 3C 00 00 81", 0.0004, 0],
    ["07 55 A4 12 34 37", -39.9878, 7.1107],
    ["FF FF AC FF FF AC", 130, 100],
  ])("decodes %s", (frame, temperature, humidity) => {
    const values = decodeHdc302x(bytes(frame));
    expect(values).toEqual({ temperature: expect.closeTo(temperature, 4), humidity: expect.closeTo(humidity, 4) });
  });

  test("gives its serial number", async () => {
    const { open, letPass } = bench(hdc302x);
    expect(await letPass(open())).toMatchObject({ serial: "1a2b3c4d5e6f" });
  });

  test("is told from an SHT3x, and the other way round", async () => {
    const meantHdc = bench(hdc302x);
    (await meantHdc.hardware.i2c("sim")).plug(0x44, sht3xChip(simulatedWorld(meantHdc.clock)));
    await expect(meantHdc.letPass(meantHdc.open())).rejects.toMatchObject({ code: "BUS_NACK" });
    const meantSht = bench(sht3x);
    (await meantSht.hardware.i2c("sim")).plug(0x44, hdc302xChip(simulatedWorld(meantSht.clock)));
    await expect(meantSht.letPass(meantSht.open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });
});
