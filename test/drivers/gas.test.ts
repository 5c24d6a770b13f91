import { describe, expect, test } from "vitest";
import { ccs811, decode as decodeCcs811, environment } from "../../src/drivers/ccs811.ts";
import { checkedWords } from "../../src/drivers/crc.ts";
import { decode as decodeEns160, ens160, humidityWord, temperatureWord } from "../../src/drivers/ens160.ts";
import { GasIndex } from "../../src/drivers/gas-index.ts";
import { commandFrame } from "../../src/drivers/sensirion.ts";
import { decode as decodeSgp30, sgp30 } from "../../src/drivers/sgp30.ts";
import { compensationWords, sgp40, sgp41 } from "../../src/drivers/sgp40.ts";
import type { I2cTransfer } from "../../src/hardware/i2c.ts";
import { ccs811Chip } from "../../src/hardware/simulated/chips/ccs811.ts";
import { ens160Chip } from "../../src/hardware/simulated/chips/ens160.ts";
import { sgp30Chip } from "../../src/hardware/simulated/chips/sgp30.ts";
import { sgp41Chip } from "../../src/hardware/simulated/chips/sgp40.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { type Bench, bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;

/** What is written to the bus from now on, as hex. */
async function writesOf({ hardware }: Bench): Promise<string[]> {
  const bus = await hardware.i2c("sim");
  const written: string[] = [];
  const transfer = bus.transfer.bind(bus);
  bus.transfer = (transfers: readonly I2cTransfer[]) => {
    for (const { write } of transfers) if (write) written.push(Buffer.from(write).toString("hex"));
    return transfer(transfers);
  };
  return written;
}

describe("Sensirion's gas index", () => {
  const vectors = vectorsOf("sgp40");
  const voc = vectors.find(({ input }) => input.vocSeries)!;
  const nox = vectors.find(({ input }) => input.noxSeries)!;
  const series = (...parts: (readonly [value: number, times: number])[]) =>
    parts.flatMap(([value, times]) => Array.from({ length: times }, () => value));

  test.each([
    ["voc", voc.expect.indexAt, series([30_000, 500], [29_000, 200], [30_500, 300])],
    ["nox", nox.expect.indexAt, series([15_000, 500], [16_000, 200], [14_800, 300])],
  ] as const)("of %s is that of Sensirion's own code", (gas, wanted: Record<string, number>, raw) => {
    const index = new GasIndex(gas);
    const found = new Map(raw.map((ticks, at) => [at + 1, index.process(ticks) ?? 0]));
    for (const [at, value] of Object.entries(wanted)) expect(found.get(Number(at)), `after ${at} s`).toBe(value);
  });

  // Computed with the integer arithmetic of Sensirion's fixed-point version, which rounds otherwise: within 1.
  test.each([
    [
      "voc",
      [30_000, 28_500, 30_800, 29_700, 33_000],
      { 60: 38, 100: 91, 420: 334, 450: 268, 500: 128, 850: 27, 1000: 92, 1250: 225, 1620: 43, 2000: 94 },
    ],
    ["nox", [15_000, 13_500, 15_800, 14_700, 18_000], { 100: 1, 1000: 2, 1620: 11, 1700: 28, 2000: 19 }],
  ] as const)("of %s is that of Sensirion's fixed-point code, too", (gas, levels, wanted: Record<string, number>) => {
    const index = new GasIndex(gas);
    const found = series(...levels.map((level) => [level, 400] as const)).map((ticks) => index.process(ticks) ?? 0);
    for (const [at, value] of Object.entries(wanted)) {
      expect(Math.abs((found[Number(at) - 1] ?? -9) - value), `after ${at} s`).toBeLessThanOrEqual(1);
    }
  });

  test("starts at 98 for the lowest signals, as in Sensirion's own test", () => {
    const index = new GasIndex("voc");
    for (let second = 0; second < 46; second++) expect(index.process(20_010)).toBeUndefined();
    expect(index.process(20_005)).toBe(98);
  });

  test("goes on where it was, given what it had learnt", () => {
    const learning = new GasIndex("voc");
    for (let second = 0; second < 20_000; second++) learning.process(30_000 + 40 * Math.sin(second / 50));
    const restored = new GasIndex("voc", learning.learnt);
    const fresh = new GasIndex("voc");
    for (let second = 0; second < 120; second++) {
      const raw = 29_500;
      const [one, other] = [restored.process(raw), learning.process(raw)];
      fresh.process(raw);
      if (second > 100) expect(Math.abs((one ?? 0) - (other ?? 0))).toBeLessThan(60);
      if (second > 100) expect(one).toBeGreaterThan(150);
    }
    expect(fresh.process(29_500)).toBeLessThan(150);
  });
});

describe("sgp40 and sgp41", () => {
  test("send the compensation as the datasheet shows", () => {
    const [{ expect: expected }] = vectorsOf("sgp40") as [ReturnType<typeof vectorsOf>[number]];
    const words = compensationWords({ temperature: 25, humidity: 50 });
    expect(Uint8Array.from(commandFrame(0x260f, ...words))).toEqual(bytes(expected.bytes));
  });

  test("have no index in the first 45 seconds, then one that is warming, then a good one", async () => {
    const { clock, open, letPass } = bench(sgp40);
    const sensor = await letPass(open());
    expect(await letPass(sensor.read(never))).toEqual({ values: { voc_raw: expect.any(Number) } });
    await clock.advance(60_000);
    expect((await letPass(sensor.read(never))).quality).toEqual({ voc_index: "warming" });
    await clock.advance(0.75 * HOUR_MS);
    const settled = await letPass(sensor.read(never));
    expect(settled.quality).toBeUndefined();
    expect(settled.values.voc_index).toBeGreaterThan(50);
    expect(settled.values.voc_index).toBeLessThan(150);
    await letPass(sensor.close!());
  });

  test("are measured every second, whatever the interval, and not once they are closed", async () => {
    const on = bench(sgp40);
    const written = await writesOf(on);
    const sensor = await on.letPass(on.open());
    const before = written.length;
    await on.clock.advance(10_000);
    expect(written.length - before).toBeGreaterThanOrEqual(9);
    expect(written.length - before).toBeLessThanOrEqual(11);
    await on.letPass(sensor.close!());
    expect(written.at(-1)).toBe("3615");
    const closed = written.length;
    await on.clock.advance(5000);
    expect(written.length).toBe(closed);
  });

  test("condition an SGP41 for less than ten seconds before NOx", async () => {
    const { clock, open, letPass } = bench(sgp41);
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values).not.toHaveProperty("nox_raw");
    await clock.advance(20_000);
    expect((await letPass(sensor.read(never))).values).toHaveProperty("nox_raw");
    await letPass(sensor.close!());
  });

  test("are told from each other", async () => {
    const { clock, hardware, open, letPass } = bench(sgp40);
    (await hardware.i2c("sim")).plug(0x59, sgp41Chip(simulatedWorld(clock)));
    await expect(letPass(open())).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });

  test("keep what three hours taught over a restart of less than ten minutes, and not over a longer one", async () => {
    const on = bench(sgp40);
    const first = await on.letPass(on.open());
    await on.clock.advance(3.1 * HOUR_MS);
    await on.letPass(first.close!());
    expect(JSON.parse(on.context.memory.load() ?? "{}")).toMatchObject({ value: { mean: expect.any(Number) } });

    await on.clock.advance(5 * 60_000);
    const second = await on.letPass(on.open());
    await on.clock.advance(60_000);
    expect((await on.letPass(second.read(never))).quality).toBeUndefined();
    await on.letPass(second.close!());

    await on.clock.advance(20 * 60_000);
    const third = await on.letPass(on.open());
    await on.clock.advance(60_000);
    expect((await on.letPass(third.read(never))).quality).toEqual({ voc_index: "warming" });
    await on.letPass(third.close!());
  }, 180_000);
});

describe("sgp30", () => {
  const [frame, humidity] = vectorsOf("sgp30");

  test("decodes its frame, and sends humidity in 256ths of a gram", () => {
    const { eco2, tvoc } = frame!.expect;
    expect(decodeSgp30(checkedWords(bytes(frame!.input.bytes))).values).toEqual({ eco2, tvoc });
    const sent = commandFrame(0x2061, Math.round(humidity!.input.absHumidity * 256)).slice(2);
    expect(Uint8Array.from(sent)).toEqual(bytes(humidity!.expect.bytes));
  });

  test("says for 15 seconds that it is warming", async () => {
    const { clock, open, letPass } = bench(sgp30, { absolute_humidity: 10 });
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).quality).toEqual({ eco2: "warming", tvoc: "warming" });
    await clock.advance(16_000);
    expect((await letPass(sensor.read(never))).quality).toBeUndefined();
    await letPass(sensor.close!());
  });

  test("is initialized again after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(sgp30);
    const sensor = await letPass(open());
    await letPass(sensor.read(never));
    (await hardware.i2c("sim")).plug(0x58, sgp30Chip(simulatedWorld(clock)));
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "BUS_NACK" });
    expect((await letPass(sensor.read(never))).values.eco2).toBe(400);
    await letPass(sensor.close!());
  });

  test("is not initialized again, which forgets what it has learnt, for a flipped bit on the wire", async () => {
    const on = bench(sgp30);
    const sensor = await on.letPass(on.open());
    const bus = await on.hardware.i2c("sim");
    const transfer = bus.transfer.bind(bus);
    let isNoisy = true;
    bus.transfer = async (transfers) => {
      const answers = await transfer(transfers);
      return isNoisy ? answers.map((answer) => answer.map((byte, at) => (at === 1 ? byte ^ 1 : byte))) : answers;
    };
    await expect(on.letPass(sensor.read(never))).rejects.toMatchObject({ code: "CHECKSUM" });
    isNoisy = false;
    const written = await writesOf(on);
    await on.letPass(sensor.read(never));
    expect(written).not.toContain("2003");
    await on.letPass(sensor.close!());
  });

  test("keeps its baseline after twelve hours, and gives it back in the order that the chip wants", async () => {
    const on = bench(sgp30);
    const first = await on.letPass(on.open());
    await on.clock.advance(11.9 * HOUR_MS);
    expect(on.context.memory.load()).toBeUndefined();
    await on.clock.advance(1.2 * HOUR_MS);
    await on.letPass(first.close!());
    expect(JSON.parse(on.context.memory.load() ?? "{}").value).toEqual({ eco2: 0x8a00, tvoc: 0x8b00 });
    const written = await writesOf(on);
    const second = await on.letPass(on.open());
    expect(written).toContain(Buffer.from(commandFrame(0x201e, 0x8b00, 0x8a00)).toString("hex"));
    await on.letPass(second.close!());
  }, 180_000);
});

describe("ccs811", () => {
  const [, environmentVector] = vectorsOf("ccs811");

  test("decodes big-endian words, and refuses what it shows before its first measurement", () => {
    expect(decodeCcs811(Uint8Array.of(0x02, 0x58, 0x02, 0x03)).values).toEqual({ eco2: 600, tvoc: 515 });
    expect(() => decodeCcs811(Uint8Array.of(0, 0, 0, 0))).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("is told humidity and temperature as the datasheet shows", () => {
    const { rh, t } = environmentVector!.input;
    expect(Uint8Array.from(environment(t, rh))).toEqual(bytes(environmentVector!.expect.envData));
  });

  test("says for 20 minutes that it is warming", async () => {
    const { clock, open, letPass } = bench(ccs811);
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).quality).toEqual({ eco2: "warming", tvoc: "warming" });
    await clock.advance(20 * 60_000);
    expect((await letPass(sensor.read(never))).quality).toBeUndefined();
  });

  test("notices that it was reset", async () => {
    const { clock, hardware, open, letPass } = bench(ccs811);
    const sensor = await letPass(open());
    await letPass(sensor.read(never));
    (await hardware.i2c("sim")).plug(0x5a, ccs811Chip(simulatedWorld(clock)));
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "BAD_VALUE" });
  });

  test("keeps its baseline once a day has passed, and restores it after it has run in", async () => {
    const on = bench(ccs811);
    const first = await on.letPass(on.open());
    await on.letPass(first.read(never));
    await on.clock.advance(24 * HOUR_MS);
    await on.letPass(first.read(never));
    expect(JSON.parse(on.context.memory.load() ?? "{}").value).toEqual([0xa4, 0x3b]);
    const written = await writesOf(on);
    const second = await on.letPass(on.open());
    await on.letPass(second.read(never));
    expect(written).not.toContain("11a43b");
    await on.clock.advance(21 * 60_000);
    await on.letPass(second.read(never));
    expect(written).toContain("11a43b");
  });
});

describe("ens160", () => {
  const [temperature, humidity] = vectorsOf("ens160");

  test("is told temperature and humidity as the datasheet shows", () => {
    expect(temperatureWord(temperature!.input.t)).toBe(Number(temperature!.expect.TEMP_IN));
    expect(humidityWord(humidity!.input.rh)).toBe(Number(humidity!.expect.RH_IN));
  });

  test("decodes its data by validity", () => {
    const data = Uint8Array.of(2, 0xae, 0, 0x94, 2);
    expect(decodeEns160(0x82, data)).toEqual({ values: { aqi: 2, tvoc: 174, eco2: 660 } });
    expect(decodeEns160(0x83, Uint8Array.of(5, 0xe8, 0xfd, 0xe8, 0xfd)).values).toEqual({
      ...{ aqi: 5, tvoc: 65_000, eco2: 65_000 },
    });
    expect(decodeEns160(0x86, data).quality?.aqi).toBe("warming");
    expect(decodeEns160(0x8a, data).quality?.tvoc).toBe("warming");
    const notReady = expect.objectContaining({ code: "NOT_READY" });
    expect(() => decodeEns160(0x8e, data)).toThrow(notReady);
    expect(() => decodeEns160(0x82, Uint8Array.of(0, 0xae, 0, 0x94, 2))).toThrow(notReady);
  });

  test("gives no value where the status reports an error (STATER, v0.95 §16.2.7)", () => {
    const data = Uint8Array.of(2, 0xae, 0, 0x94, 2);
    expect(() => decodeEns160(0xc2, data)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("is set to work again after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(ens160);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x52, ens160Chip(simulatedWorld(clock)));
    expect((await letPass(sensor.read(never))).values.tvoc).toBeGreaterThan(0);
  });
});
