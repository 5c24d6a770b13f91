import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { bigEndian, hex, mismatch } from "./registers.ts";

/** The frame (Plantower PMSA003I v2.6, appendix I): header, length of the rest, 13 words, their sum. */
const FRAME_LENGTH = 32;
const HEADER = 0x424d;
const REST_LENGTH = 28;
const ERROR_CODE_AT = 29;
/** The fan needs as long (v2.6, "Usage"). */
const WARM_UP_MS = 30_000;
/** Per decilitre, as the chip counts. */
const COUNT_UNIT = "1/0.1L";

const KEYS = {
  pm1: 10,
  pm25: 12,
  pm10: 14,
  particles_0_3: 16,
  particles_0_5: 18,
  particles_1: 20,
  particles_2_5: 22,
  particles_5: 24,
  particles_10: 26,
} as const;
const count = (size: string) =>
  ({ quantity: "particle_count", title: `Particles over ${size} μm`, unit: COUNT_UNIT, decimals: 0, min: 0 }) as const;

export const pmsa003i = i2cDriver({
  name: "pmsa003i",
  title: "Plantower PMSA003I: particulate matter",
  manufacturer: "Plantower",
  model: "PMSA003I",
  addresses: [0x12],
  options: {},
  channels: {
    pm1: { quantity: "pm1", min: 0 },
    pm25: { quantity: "pm25", min: 0 },
    pm10: { quantity: "pm10", min: 0 },
    particles_0_3: count("0.3"),
    particles_0_5: count("0.5"),
    particles_1: count("1"),
    particles_2_5: count("2.5"),
    particles_5: count("5"),
    particles_10: count("10"),
  },
  timing: { minIntervalMs: 1000, expectedMs: 50, defaultIntervalMs: 30_000 },
  notes: "Needs 5 V for its fan. Masses are those for the open air. For 30 s after a start its values are `warming`.",

  async identify(chip) {
    const header = bigEndian((await chip.read(FRAME_LENGTH)).subarray(0, 2));
    if (header !== HEADER) throw mismatch(chip, "PMSA003I", "its frame does not begin with 42 4D");
    return {};
  },

  async open(chip, _options, { clock }) {
    const openedMs = clock.monoMs();
    return {
      async read() {
        const values = decode(await chip.read(FRAME_LENGTH));
        if (clock.monoMs() - openedMs >= WARM_UP_MS) return { values };
        return { values, quality: Object.fromEntries(Object.keys(KEYS).map((key) => [key, "warming" as const])) };
      },
    };
  },
});

/** Throws CHECKSUM for a wrong sum, length or header, and BAD_VALUE where it gives an error code ("Data 13", low byte). */
export function decode(frame: Uint8Array): Values {
  const word = (at: number) => bigEndian(frame.subarray(at, at + 2));
  const sum = frame.subarray(0, 30).reduce((total, byte) => total + byte, 0);
  if (word(0) !== HEADER || word(2) !== REST_LENGTH || word(30) !== sum) {
    throw new GatewayError("CHECKSUM", `the frame's sum is ${word(30)}, expected ${sum}, its length ${word(2)}`);
  }
  const errorCode = frame[ERROR_CODE_AT] ?? 0;
  if (errorCode !== 0) throw new GatewayError("BAD_VALUE", `the chip reports error ${hex(errorCode)}`);
  return Object.fromEntries(Object.entries(KEYS).map(([key, at]) => [key, word(at)]));
}
