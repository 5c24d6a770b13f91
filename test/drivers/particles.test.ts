import { describe, expect, test } from "vitest";
import { decode as decodePmsa003i, pmsa003i } from "../../src/drivers/pmsa003i.ts";
import { commandFrame } from "../../src/drivers/sensirion.ts";
import { decode as decodeSps30, sps30 } from "../../src/drivers/sps30.ts";
import { sensirionWord } from "../../src/hardware/simulated/chips/sensirion.ts";
import { sps30Chip } from "../../src/hardware/simulated/chips/sps30.ts";
import { simulatedWorld } from "../../src/hardware/simulated/world.ts";
import { bench } from "./bench.ts";
import { bytes, vectorsOf } from "./vectors.ts";

const never = new AbortController().signal;

describe("sps30", () => {
  test("is started with the CRC that the datasheet shows", () => {
    const [{ input, expect: expected }] = vectorsOf("sps30") as [ReturnType<typeof vectorsOf>[number]];
    const [high = 0, low = 0] = bytes(input.startArg);
    expect(commandFrame(0x0010, (high << 8) | low).at(-1)).toBe(Number(expected.crc));
  });

  test("decodes ten numbers, and refuses what is none", () => {
    const frame = (last: number) =>
      Uint8Array.from([...Array(9).fill([0x40b0, 0x0000]).flat(), last, 0x0000].flatMap(sensirionWord));
    expect(decodeSps30(frame(0x3f00))).toMatchObject({ pm1: 5.5, pm10: 5.5, particles_10: 5.5, particle_size: 0.5 });
    expect(() => decodeSps30(frame(0x7fc0))).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("gives its numbers in the order of the datasheet (table 3)", () => {
    const words = [0x3fc0, 0x4020, 0x4060, 0x4090, 0x4120, 0x4130, 0x4140, 0x4150, 0x4160, 0x3f00];
    expect(
      Object.values(decodeSps30(Uint8Array.from(words.flatMap((word) => [word, 0]).flatMap(sensirionWord)))),
    ).toEqual([...[1.5, 2.5, 3.5, 4.5, 10, 11, 12, 13, 14, 0.5]]);
  });

  test("gives its serial number, and says for 30 seconds that it is warming", async () => {
    const { clock, open, letPass } = bench(sps30);
    const sensor = await letPass(open());
    expect(sensor.serial).toBe("5F3A9C0D11E2");
    expect((await letPass(sensor.read(never))).quality?.pm25).toBe("warming");
    await clock.advance(30_000);
    expect((await letPass(sensor.read(never))).quality).toBeUndefined();
  });

  test.each([
    [4, /fan is on and does not turn/],
    [5, /laser/],
    [21, /speed of its fan/],
  ])("gives no number while bit %i of its status says that it cannot know", async (bit, reason) => {
    const { clock, hardware, open, letPass } = bench(sps30);
    let status = 0;
    (await hardware.i2c("sim")).plug(0x69, sps30Chip(simulatedWorld(clock), { status: () => status }));
    const sensor = await letPass(open());
    status = 1 << bit;
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "BAD_VALUE", message: reason });
    status = 0;
    expect((await letPass(sensor.read(never))).values.pm25).toBeGreaterThan(0);
  });

  test("reads a chip of older firmware, which has no status", async () => {
    const { clock, hardware, open, letPass } = bench(sps30);
    (await hardware.i2c("sim")).plug(0x69, sps30Chip(simulatedWorld(clock), { version: 0x0201 }));
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).values.pm25).toBeGreaterThan(0);
  });

  test("is started again after a brown-out", async () => {
    const { clock, hardware, open, letPass } = bench(sps30);
    const sensor = await letPass(open());
    (await hardware.i2c("sim")).plug(0x69, sps30Chip(simulatedWorld(clock)));
    await expect(letPass(sensor.read(never))).rejects.toMatchObject({ code: "NOT_READY" });
    expect((await letPass(sensor.read(never))).values.pm25).toBeGreaterThan(0);
  });
});

describe("pmsa003i", () => {
  const [{ input, expect: expected }] = vectorsOf("pmsa003i") as [ReturnType<typeof vectorsOf>[number]];

  test("decodes the masses in the open air, and the counts", () => {
    const { pm1, pm25, pm10 } = expected;
    expect(decodePmsa003i(bytes(input.frame))).toEqual({
      ...{ pm1, pm25, pm10 },
      ...{ particles_0_3: 900, particles_0_5: 300, particles_1: 60, particles_2_5: 6, particles_5: 2, particles_10: 1 },
    });
  });

  test("refuses a frame with a flipped bit, whichever it is", () => {
    const good = bytes(input.frame);
    for (let bit = 0; bit < 256; bit++) {
      const bad = good.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(() => decodePmsa003i(bad), `bit ${bit}`).toThrow(expect.objectContaining({ code: "CHECKSUM" }));
    }
  });

  test("gives no value with an error code", () => {
    const frame = bytes(input.frame).map((byte, at) => (at === 29 ? 2 : at === 31 ? byte + 2 : byte));
    expect(() => decodePmsa003i(frame)).toThrow(expect.objectContaining({ code: "BAD_VALUE" }));
  });

  test("says for 30 seconds that it is warming", async () => {
    const { clock, open, letPass } = bench(pmsa003i);
    const sensor = await letPass(open());
    expect((await letPass(sensor.read(never))).quality?.pm25).toBe("warming");
    await clock.advance(30_000);
    expect((await letPass(sensor.read(never))).quality).toBeUndefined();
  });
});
