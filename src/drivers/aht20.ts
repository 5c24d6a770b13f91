import { GatewayError } from "../core/errors.ts";
import type { Values } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { crc8 } from "./crc.ts";
import { type DriverContext, i2cDriver, type Sensor } from "./driver.ts";

/** Commands and times (Aosong AHT20 datasheet v1.1, §5.3 and §5.4). */
const MEASURE = [0xac, 0x33, 0x00];
const MEASURE_MS = 80;
const INITIALIZE_MS = 10;
/** An AHT10 may take much longer than an AHT20: Linux waits 350 ms (aht10.c). */
const INITIALIZE_POLLS = 34;
const POWER_ON_MS = 40;
const BUSY = 0x80;
const CALIBRATED = 0x08;
const POLLS = 4;
const POLL_MS = 10;

const common = {
  manufacturer: "Aosong",
  options: {},
  channels: {
    temperature: { quantity: "temperature", min: -40, max: 85 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
  },
  timing: { minIntervalMs: 1000, expectedMs: 200 },
} as const;

export const aht20 = i2cDriver({
  ...common,
  name: "aht20",
  aliases: ["aht21", "aht25", "aht30"],
  title: "Aosong AHT20, AHT21, AHT25 and AHT30: temperature and humidity",
  model: "AHT20",
  addresses: [0x38],
  notes: "An AHT10 or AHT15 has no checksum: take `aht10` for it. A PCF8574A or VEML6070 can have the same address.",
  open: (chip, _options, context) => openAht(chip, { initialize: [0xbe, 0x08, 0x00], hasCrc: true }, context),
});

export const aht10 = i2cDriver({
  ...common,
  name: "aht10",
  aliases: ["aht15"],
  title: "Aosong AHT10 and AHT15: temperature and humidity",
  model: "AHT10",
  addresses: [0x38, 0x39],
  notes: "Without a checksum: an AHT20 costs as much and has one.",
  open: (chip, _options, context) => openAht(chip, { initialize: [0xe1, 0x08, 0x00], hasCrc: false }, context),
});

interface Variant {
  readonly initialize: readonly number[];
  readonly hasCrc: boolean;
}

async function openAht(chip: I2cDevice, variant: Variant, { clock }: DriverContext): Promise<Sensor> {
  const initialize = async (signal?: AbortSignal) => {
    await chip.write(variant.initialize);
    for (let poll = 0; poll < INITIALIZE_POLLS; poll++) {
      await clock.sleep(INITIALIZE_MS, signal);
      const [status = 0] = await chip.read(1);
      if ((status & BUSY) === 0) return;
    }
    throw new GatewayError("NOT_READY", `still initializing after ${INITIALIZE_POLLS * INITIALIZE_MS} ms`);
  };
  await clock.sleep(POWER_ON_MS);
  const [status = 0] = await chip.read(1);
  if ((status & CALIBRATED) === 0) await initialize();
  return {
    async read(signal) {
      await chip.write(MEASURE);
      await clock.sleep(MEASURE_MS, signal);
      for (let poll = 0; poll < POLLS; poll++) {
        const frame = await chip.read(variant.hasCrc ? 7 : 6);
        const [now = 0] = frame;
        if ((now & BUSY) !== 0) {
          await clock.sleep(POLL_MS, signal);
          continue;
        }
        const values = variant.hasCrc ? decode(frame) : decodeWithoutCrc(frame);
        if ((now & CALIBRATED) !== 0) return { values };
        await initialize(signal);
        throw new GatewayError("BAD_VALUE", "the chip lost its calibration: it was reset, and is initialized again");
      }
      throw new GatewayError("NOT_READY", `still measuring ${POLLS * POLL_MS} ms after the longest time`);
    },
  };
}

/** Status, 20 bits of humidity, 20 bits of temperature, CRC over the six bytes (§5.4). Throws CHECKSUM. */
export function decode(frame: Uint8Array): Values {
  const crc = crc8(frame.subarray(0, 6));
  if (crc !== frame[6]) throw new GatewayError("CHECKSUM", `the frame's CRC is ${frame[6]}, expected ${crc}`);
  return decodeUnchecked(frame);
}

/** Throws BAD_VALUE where nothing was measured: zeros would be a humidity of 0 %. */
function decodeWithoutCrc(frame: Uint8Array): Values {
  if (frame.subarray(1).every((byte) => byte === 0)) {
    throw new GatewayError("BAD_VALUE", "the chip has no measurement to show");
  }
  return decodeUnchecked(frame);
}

function decodeUnchecked([, a = 0, b = 0, c = 0, d = 0, e = 0]: Uint8Array): Values {
  const humidity = (a << 12) | (b << 4) | (c >> 4);
  const temperature = ((c & 0xf) << 16) | (d << 8) | e;
  return { temperature: (temperature / 2 ** 20) * 200 - 50, humidity: (humidity / 2 ** 20) * 100 };
}
