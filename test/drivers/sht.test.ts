import { describe, expect, test } from "vitest";
import { checkedWords, crc8 } from "../../src/drivers/crc.ts";
import { decode as decodeSht3x, sht3x } from "../../src/drivers/sht3x.ts";
import { decode as decodeSht4x, sht4x } from "../../src/drivers/sht4x.ts";
import type { SimulatedChip } from "../../src/hardware/simulated/chip.ts";
import { nack } from "../../src/hardware/simulated/chip.ts";
import { sensirionWord } from "../../src/hardware/simulated/chips/sensirion.ts";
import { bench } from "./bench.ts";
import { bytes, chipVectors } from "./vectors.ts";

const never = new AbortController().signal;

describe("the CRC of a Sensirion word", () => {
  const [crc, frame] = chipVectors.sht3x;

  test("is the datasheet's", () => {
    expect(crc8(bytes(crc!.input.bytes))).toBe(Number(crc!.expect.crc));
  });

  test("that does not match is CHECKSUM, whichever bit flipped", () => {
    const good = bytes(frame!.input.bytes);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Uint8Array.from(good, (byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(() => checkedWords(bad), `bit ${bit}`).toThrow(expect.objectContaining({ code: "CHECKSUM" }));
    }
  });
});

describe("sht3x", () => {
  test("decodes a frame of the wild", () => {
    const [, frame] = chipVectors.sht3x;
    const { temperature, humidity } = decodeSht3x(bytes(frame!.input.bytes));
    expect(temperature).toBeCloseTo(frame!.expect.temperatureC!, 2);
    expect(humidity).toBeCloseTo(frame!.expect.humidityPct!, 2);
  });

  test.each(["high", "medium", "low"])("does not read before a %s precision measurement ends", async (precision) => {
    const { open, letPass } = bench(sht3x, { precision });
    const sensor = await letPass(open());
    await expect(letPass(sensor.read(never))).resolves.toHaveProperty("values.temperature");
  });

  test("gives the chip's serial number", async () => {
    const { open, letPass } = bench(sht3x);
    expect(await letPass(open())).toMatchObject({ serial: "0a1b2c3d" });
  });

  test("knows an early chip, which has no serial number, by its status word", async () => {
    const { hardware, open, letPass } = bench(sht3x);
    (await hardware.i2c("sim")).plug(0x44, statusOnly());
    await expect(letPass(open())).resolves.not.toHaveProperty("serial");
  });
});

describe("sht4x", () => {
  test.each(chipVectors.sht4x)("decodes $input", ({ input, expect: expected }) => {
    const words = [input.rawT, input.rawRH ?? "0x0000"].map(Number);
    const { temperature, humidity } = decodeSht4x(Uint8Array.from(words.flatMap(sensirionWord)));
    expect(temperature).toBeCloseTo(expected.temperatureC, 2);
    if (expected.humidityPct !== undefined) expect(humidity).toBeCloseTo(expected.humidityPct, 2);
  });

  test("cuts a humidity just outside 0 to 100 %", () => {
    expect(decodeSht4x(Uint8Array.from([0, 0].flatMap(sensirionWord))).humidity).toBe(0);
    expect(decodeSht4x(Uint8Array.from([0, 0xffff].flatMap(sensirionWord))).humidity).toBe(100);
  });

  test("waits out each precision", async () => {
    for (const precision of ["high", "medium", "low"]) {
      const { open, letPass } = bench(sht4x, { precision });
      const sensor = await letPass(open());
      await expect(letPass(sensor.read(never))).resolves.toHaveProperty("values.humidity");
    }
  });

  test("gives the chip's serial number", async () => {
    const { open, letPass } = bench(sht4x);
    expect(await letPass(open())).toMatchObject({ serial: "0f1e2d3c" });
  });
});

function statusOnly(): SimulatedChip {
  let asked = 0;
  return {
    write([high = 0, low = 0]) {
      asked = (high << 8) | low;
    },
    read() {
      if (asked !== 0xf32d) throw nack();
      return Uint8Array.from(sensirionWord(0));
    },
  };
}
