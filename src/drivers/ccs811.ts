import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver } from "./driver.ts";
import { keptValue } from "./kept-value.ts";
import { bigEndian, expectId, hex, readByte } from "./registers.ts";

/** Registers (ams CCS811 v1-06, "Register Overview"). */
const STATUS = 0x00;
const MEASUREMENT_MODE = 0x01;
const RESULT = 0x02;
const ENVIRONMENT = 0x05;
const BASELINE = 0x11;
const HARDWARE_ID = 0x20;
const ERROR_ID = 0xe0;
const APP_START = 0xf4;
const RESET = [0xff, 0x11, 0xe5, 0x72, 0x8a];
const RESET_MS = 20;
const APP_START_MS = 2;

const APPLICATION_MODE = 0x80;
const APPLICATION_VALID = 0x10;
const DATA_READY = 0x08;
const ERROR = 0x01;

const MODE = {
  1: { code: 0x10, periodMs: 1000 },
  10: { code: 0x20, periodMs: 10_000 },
  60: { code: 0x30, periodMs: 60_000 },
} as const;
const POLL_MS = 50;
const PERIOD_MARGIN = 1.1;
/** The sensor runs in for 20 minutes; a baseline is restored after that, and kept once a day has passed (AN000370). */
const RUN_IN_MS = 20 * 60_000;
const LEARNT_AFTER_MS = 24 * 3600 * 1000;
const KEEP_EVERY_MS = 3600 * 1000;
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;

export const ccs811 = i2cDriver({
  name: "ccs811",
  title: "ams CCS811: volatile organic compounds and equivalent CO2",
  manufacturer: "ams",
  model: "CCS811",
  addresses: [0x5a, 0x5b],
  options: {
    measurement_interval: z.literal([1, 10, 60]).default(1).describe("How often the chip measures, in seconds"),
    temperature: z.number().min(-25).max(50).default(25).describe("Of the air in °C, for the chip's compensation"),
    humidity: z.number().min(0).max(100).default(50).describe("Of the air in %, for the chip's compensation"),
  },
  channels: {
    eco2: { quantity: "carbon_dioxide", title: "Equivalent CO2", min: 400, max: 32_768 },
    tvoc: { quantity: "tvoc", min: 0, max: 32_768 },
  },
  timing: { minIntervalMs: 1500, expectedMs: 1500, deadlineMs: 70_000, defaultIntervalMs: 30_000 },
  notes:
    "It stretches the clock, which a Pi up to the 4 does not bear: `i2c_arm_baudrate=10000`, or the overlay `i2c-gpio`, " +
    "mend it. For 20 minutes after a start its values are `warming`; a new one needs 48 hours. Its baseline is kept over " +
    "restarts, for a week. Equivalent CO2 is computed from the gases it smells, and is no measurement of carbon dioxide.",

  async identify(chip) {
    await expectId(chip, "CCS811", HARDWARE_ID, [0x81]);
    return {};
  },

  async open(chip, { measurement_interval: interval, temperature, humidity }, context) {
    const { clock } = context;
    const { code, periodMs } = MODE[interval];
    const kept = keptValue(context, { schema: z.tuple([z.int(), z.int()]), serial: "", maxAgeMs: MAX_AGE_MS });
    await startApplication(chip, context);
    await chip.writeRegister(ENVIRONMENT, ...environment(temperature, humidity));
    await chip.writeRegister(MEASUREMENT_MODE, code);
    const openedMs = clock.monoMs();
    let isRestored = false;
    let learntMs = openedMs + LEARNT_AFTER_MS;
    let keptMs = openedMs;

    const tendBaseline = async () => {
      const now = clock.monoMs();
      if (!isRestored && now - openedMs >= RUN_IN_MS) {
        const found = kept.restore();
        if (found) {
          await chip.writeRegister(BASELINE, ...found);
          learntMs = now;
        }
        isRestored = true;
      }
      if (now < learntMs || now - keptMs < KEEP_EVERY_MS) return;
      const [high = 0, low = 0] = await chip.readRegister(BASELINE, 2);
      kept.keep([high, low]);
      keptMs = now;
    };

    return {
      async read(signal) {
        await waitForData(chip, periodMs * PERIOD_MARGIN, context, signal);
        const sample = decode(await chip.readRegister(RESULT, 4));
        await tendBaseline();
        const isWarming = clock.monoMs() - openedMs < RUN_IN_MS;
        return isWarming ? { ...sample, quality: { eco2: "warming", tvoc: "warming" } } : sample;
      },
    };
  },
});

async function startApplication(chip: I2cDevice, { clock }: DriverContext): Promise<void> {
  await chip.write(RESET);
  await clock.sleep(RESET_MS);
  const status = await readByte(chip, STATUS);
  if ((status & APPLICATION_VALID) === 0) throw new GatewayError("BAD_VALUE", "the chip has no application to start");
  await chip.write([APP_START]);
  await clock.sleep(APP_START_MS);
}

/** Throws BAD_VALUE where the chip was reset or reports an error, NOT_READY. */
async function waitForData(
  chip: I2cDevice,
  maxMs: number,
  { clock }: DriverContext,
  signal: AbortSignal,
): Promise<void> {
  for (const endMs = clock.monoMs() + maxMs; ; await clock.sleep(POLL_MS, signal)) {
    const status = await readByte(chip, STATUS);
    if ((status & APPLICATION_MODE) === 0)
      throw new GatewayError("BAD_VALUE", "the chip was reset: it does not measure");
    if ((status & ERROR) !== 0) {
      throw new GatewayError("BAD_VALUE", `the chip reports error ${hex(await readByte(chip, ERROR_ID))}`);
    }
    if ((status & DATA_READY) !== 0) return;
    if (clock.monoMs() >= endMs) throw new GatewayError("NOT_READY", `no new measurement in ${Math.round(maxMs)} ms`);
  }
}

/** Throws BAD_VALUE for less than 400 ppm, which it shows before its first measurement. */
export function decode(result: Uint8Array): Sample {
  const eco2 = bigEndian(result.subarray(0, 2));
  if (eco2 < 400) throw new GatewayError("BAD_VALUE", `${eco2} ppm is what it shows before its first measurement`);
  return { values: { eco2, tvoc: bigEndian(result.subarray(2, 4)) } };
}

/** Humidity and temperature in 512ths, the temperature from -25 °C on ("ENV_DATA"). */
export function environment(temperatureC: number, humidityPercent: number): number[] {
  return [humidityPercent, temperatureC + 25].flatMap((value) => {
    const word = Math.min(0xffff, Math.round(value * 512));
    return [word >> 8, word & 0xff];
  });
}
