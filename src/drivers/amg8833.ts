import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { littleEndian, readByte, readWordLe, signed } from "./registers.ts";

/** Registers (Panasonic Grid-EYE, "Reference specifications", §3). */
const POWER = 0x00;
const RESET = 0x01;
const FRAME_RATE = 0x02;
const THERMISTOR = 0x0e;
const PIXELS = 0x80;
const NORMAL_MODE = 0x00;
const INITIAL_RESET = 0x3f;
const TEN_FRAMES = 0x00;
/** Power-on or reset until the data is settled: two frames. */
const STARTUP_MS = 250;
/** As much as a combined transfer reads. */
const BLOCK = 32;
const PIXEL_BYTES = 128;

export const amg8833 = i2cDriver({
  name: "amg8833",
  aliases: ["amg88xx"],
  title: "Panasonic AMG8833 (Grid-EYE): warmest, coldest and mean of 64 temperatures",
  manufacturer: "Panasonic",
  model: "AMG8833",
  addresses: [0x68, 0x69],
  options: {},
  channels: {
    maximum: { quantity: "temperature", title: "Warmest", min: -55, max: 125 },
    minimum: { quantity: "temperature", title: "Coldest", min: -55, max: 125 },
    mean: { quantity: "temperature", title: "Mean", min: -55, max: 125 },
    temperature: { quantity: "temperature", title: "Sensor temperature", min: -60, max: 125 },
  },
  timing: { minIntervalMs: 200, expectedMs: 150 },
  notes: "It has no id. MPU6050, DS3231 and SPS30 share its addresses.",

  async open(chip, _options, { clock }) {
    const configure = async (signal?: AbortSignal) => {
      await chip.writeRegister(POWER, NORMAL_MODE);
      await chip.writeRegister(RESET, INITIAL_RESET);
      await chip.writeRegister(FRAME_RATE, TEN_FRAMES);
      await clock.sleep(STARTUP_MS, signal);
    };
    await configure();
    return {
      async read(signal) {
        if ((await readByte(chip, POWER)) !== NORMAL_MODE) await configure(signal);
        const pixels = new Uint8Array(PIXEL_BYTES);
        for (let at = 0; at < PIXEL_BYTES; at += BLOCK) pixels.set(await chip.readRegister(PIXELS + at, BLOCK), at);
        return { values: { ...decode(pixels), temperature: thermistor(await readWordLe(chip, THERMISTOR)) } };
      },
    };
  },
});

/** Throws NOT_READY where all are 0, which they are until the first frame after power-on. */
export function decode(bytes: Uint8Array): Values {
  if (bytes.every((byte) => byte === 0)) throw new GatewayError("NOT_READY", "the chip has not taken a picture yet");
  const pixels = Array.from({ length: bytes.length / 2 }, (_, index) =>
    pixel(littleEndian(bytes.subarray(2 * index, 2 * index + 2))),
  );
  const sum = pixels.reduce((total, celsius) => total + celsius, 0);
  return { maximum: Math.max(...pixels), minimum: Math.min(...pixels), mean: sum / pixels.length };
}

/** 12 bits of two's complement, in quarters of a degree. */
export function pixel(word: number): number {
  return signed(word, 12) / 4;
}

/** 12 bits of sign and magnitude, in sixteenths of a degree. */
export function thermistor(word: number): number {
  const magnitude = (word & 0x7ff) / 16;
  return (word & 0x800) !== 0 ? -magnitude : magnitude;
}
