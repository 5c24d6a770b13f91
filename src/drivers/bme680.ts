import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import {
  type Bme680Calibration,
  decodeCalibration,
  gasResistance,
  heaterCode,
  heaterWaitCode,
  hectopascal680,
  humidity680,
} from "./bme680-formulas.ts";
import {
  bosch280Options,
  celsius,
  decode20,
  fineTemperature,
  type Oversampling,
  oversamplingCode,
  writeEach,
} from "./bosch-280.ts";
import { type DriverContext, i2cDriver, sampleOf } from "./driver.ts";
import { durationMs, onOff } from "./options.ts";
import { ensureBits, mismatch, readByte } from "./registers.ts";

/** Registers (BST-BME680-DS001 v1.9, §5.2). */
const REGISTER = {
  calibration3: 0x00,
  field0: 0x1d,
  heaterResistance0: 0x5a,
  gasWait0: 0x64,
  ctrlGas0: 0x70,
  ctrlGas1: 0x71,
  ctrlHum: 0x72,
  ctrlMeas: 0x74,
  config: 0x75,
  calibration1: 0x8a,
  id: 0xd0,
  reset: 0xe0,
  calibration2: 0xe1,
  variant: 0xf0,
} as const;

const ID = 0x61;
const RESET_COMMAND = 0xb6;
const RESET_MS = 5;
const FORCED_MODE = 0b01;
const FIELD_LENGTH = 17;
/** Field 0's status: new data, and neither the gas nor anything else being measured any more (§5.3.5). */
const NEW_DATA = 0x80;
const STATUS_BITS = 0xe0;
const GAS_VALID = 0x20;
const HEATER_STABLE = 0x10;
const NO_DATA_16_BIT = 0x8000;
/** Samples that the IIR filter remembers -> its code (§5.3.2.4). */
const FILTER_CODE = { off: 0, 1: 1, 3: 2, 7: 3, 15: 4, 31: 5, 63: 6, 127: 7 } as const;
const FILTER_BITS = 0b000_111_00;
/** The gas sensor drifts while its plate comes to temperature. */
const GAS_WARM_UP_MS = 5 * 60_000;

export const bme680 = i2cDriver({
  name: "bme680",
  aliases: ["bme688"],
  title: "Bosch BME680 and BME688: temperature, humidity, pressure and gas resistance",
  manufacturer: "Bosch Sensortec",
  model: "BME680",
  addresses: [0x76, 0x77],
  options: {
    oversampling: bosch280Options.oversampling,
    filter: z
      .literal(["off", 1, 3, 7, 15, 31, 63, 127])
      .default("off")
      .describe("Smooths temperature and pressure over this many readings, in the chip"),
    gas: onOff().prefault("on").describe("Whether to heat the gas sensor, which warms the other readings a little"),
    heater_temperature: z.int().min(200).max(400).default(320).describe("Of the gas sensor's plate, in °C"),
    heater_duration: durationMs({ minMs: 1, maxMs: 4000 })
      .prefault("150ms")
      .describe("How long the plate is heated before the gas is measured"),
  },
  channels: channels(true),
  channelsFor: ({ gas }) => channels(gas),
  noisy: ["temperature", "pressure", "gas_resistance"],
  timing: { minIntervalMs: 5000, expectedMs: 4500 },
  notes:
    "Gas resistance falls as more organic gases are in the air, and only its course says something. Bosch's air quality " +
    "index needs a closed library and is not computed here. For five minutes after a start the resistance is `warming`.",

  async identify(chip) {
    const id = await readByte(chip, REGISTER.id);
    if (id !== ID) throw mismatch(chip, "BME680", `its id is 0x${id.toString(16)}`);
    return { model: (await readByte(chip, REGISTER.variant)) === 1 ? "BME688" : "BME680" };
  },

  async open(chip, options, context) {
    await chip.writeRegister(REGISTER.reset, RESET_COMMAND);
    await context.clock.sleep(RESET_MS);
    const calibration = decodeCalibration(
      await chip.readRegister(REGISTER.calibration1, 23),
      await chip.readRegister(REGISTER.calibration2, 14),
      await chip.readRegister(REGISTER.calibration3, 5),
    );
    const isHigh = (await readByte(chip, REGISTER.variant)) === 1;
    const openedMs = context.clock.monoMs();
    let ambientC = 25;
    return {
      async read(signal) {
        // Not among the settings: whenever it is written, the filter forgets, and the next value passes unchanged (§3.3.4).
        await ensureBits(chip, REGISTER.config, FILTER_BITS, FILTER_CODE[options.filter] << 2);
        await writeEach(chip, settings(options, calibration, ambientC, isHigh));
        await context.clock.sleep(
          measurementMs(options.oversampling, options.gas ? options.heater_duration : 0),
          signal,
        );
        const sample = decode(await newField(chip, context, signal), calibration, { gas: options.gas, isHigh });
        const { temperature, gas_resistance } = sample.values;
        if (typeof temperature === "number") ambientC = temperature;
        const isWarming = gas_resistance !== undefined && context.clock.monoMs() - openedMs < GAS_WARM_UP_MS;
        return isWarming ? { ...sample, quality: { gas_resistance: "warming" } } : sample;
      },
    };
  },
});

function channels(gas: boolean) {
  return {
    temperature: { quantity: "temperature", min: -40, max: 85 },
    humidity: { quantity: "humidity", min: 0, max: 100 },
    pressure: { quantity: "pressure", min: 300, max: 1100 },
    ...(gas && {
      gas_resistance: { quantity: "resistance", title: "Gas resistance", min: 100, max: 110_000_000 } as const,
    }),
  } as const;
}

interface Settings {
  readonly oversampling: Oversampling;
  readonly gas: boolean;
  readonly heater_temperature: number;
  readonly heater_duration: number;
}

/** All of them each time: what a brown-out erased is back with the next read. */
function settings(options: Settings, calibration: Bme680Calibration, ambientC: number, isHigh: boolean) {
  const code = oversamplingCode(options.oversampling);
  const runGas = isHigh ? 0x20 : 0x10;
  return [
    [REGISTER.heaterResistance0, heaterCode(options.heater_temperature, ambientC, calibration)],
    [REGISTER.gasWait0, heaterWaitCode(options.heater_duration)],
    [REGISTER.ctrlGas0, options.gas ? 0 : 0x08],
    [REGISTER.ctrlGas1, options.gas ? runGas : 0],
    [REGISTER.ctrlHum, code],
    [REGISTER.ctrlMeas, (code << 5) | (code << 2) | FORCED_MODE],
  ] as const;
}

/** As Bosch's own driver computes it: 1963 µs a sample, and the switching between the parts. */
function measurementMs(oversampling: Oversampling, heaterMs: number): number {
  return (3 * oversampling * 1963 + 9 * 477) / 1000 + 1 + heaterMs;
}

const POLLS = 10;
const POLL_MS = 10;

async function newField(chip: I2cDevice, { clock }: DriverContext, signal: AbortSignal): Promise<Uint8Array> {
  for (let poll = 0; poll < POLLS; poll++) {
    const field = await chip.readRegister(REGISTER.field0, FIELD_LENGTH);
    if (((field[0] ?? 0) & STATUS_BITS) === NEW_DATA) return field;
    await clock.sleep(POLL_MS, signal);
  }
  throw new GatewayError("NOT_READY", `no new data ${POLLS * POLL_MS} ms after the longest time`);
}

/**
 * The first field's 17 bytes from 0x1D (§5.3.5): pressure, temperature, humidity, and gas at 0x2A in a BME680, at 0x2C in
 * a BME688. Gas is left out where it is not valid or the heater did not reach its temperature. Throws BAD_VALUE.
 */
export function decode(
  field: Uint8Array,
  calibration: Bme680Calibration,
  { gas, isHigh }: { readonly gas: boolean; readonly isHigh: boolean },
): Sample {
  const fine = fineTemperature(decode20(field.subarray(5)), calibration);
  const pressure = decode20(field.subarray(2));
  const [humidityMsb = 0, humidityLsb = 0] = field.subarray(8);
  const humidity = (humidityMsb << 8) | humidityLsb;
  const [gasMsb = 0, gasLsb = 0] = field.subarray(isHigh ? 15 : 13);
  const isGas = gas && (gasLsb & GAS_VALID) !== 0 && (gasLsb & HEATER_STABLE) !== 0;
  return sampleOf({
    temperature: celsius(fine),
    humidity: humidity === NO_DATA_16_BIT ? undefined : humidity680(humidity, fine, calibration),
    pressure: pressure === undefined ? undefined : hectopascal680(pressure, fine, calibration),
    gas_resistance: isGas ? gasResistance((gasMsb << 2) | (gasLsb >> 6), gasLsb & 0xf, isHigh, calibration) : undefined,
  });
}
