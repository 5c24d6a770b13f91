import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Sample } from "../core/reading.ts";
import { i2cDriver } from "./driver.ts";
import { hex, littleEndian, mismatch, readByte, readWordLe, writeWordLe } from "./registers.ts";

/** Registers (ScioSense ENS160 v1.1, §16). */
const PART_ID = 0x00;
const OPERATING_MODE = 0x10;
const TEMPERATURE_IN = 0x13;
const HUMIDITY_IN = 0x15;
const STATUS = 0x20;
const STANDARD = 0x02;
const RESET = 0xf0;
const RESET_MS = 10;
const MODE_MS = 20;
const DATA = 0x21;
const NEW_DATA = 0x02;
const STATUS_ERROR = 0x40;
const MODEL_OF_ID: Readonly<Record<number, string>> = { 352: "ENS160", 353: "ENS161" };

/** Two bits of the status (§16.2.7). */
const VALIDITY = { ok: 0, warmUp: 1, startUp: 2, invalid: 3 };
const MAX_WAIT_MS = 1300;
const POLL_MS = 50;

export const ens160 = i2cDriver({
  name: "ens160",
  aliases: ["ens161"],
  title: "ScioSense ENS160 and ENS161: air quality, volatile organic compounds and equivalent CO2",
  manufacturer: "ScioSense",
  model: "ENS160",
  addresses: [0x52, 0x53],
  options: {
    temperature: z.number().min(-40).max(85).default(25).describe("Of the air in °C, for the chip's compensation"),
    humidity: z.number().min(0).max(100).default(50).describe("Of the air in %, for the chip's compensation"),
  },
  channels: {
    aqi: { quantity: "air_quality", min: 1, max: 5 },
    tvoc: { quantity: "tvoc", min: 0, max: 65_000 },
    eco2: { quantity: "carbon_dioxide", title: "Equivalent CO2", min: 400, max: 65_000 },
  },
  timing: { minIntervalMs: 2000, expectedMs: 1500, defaultIntervalMs: 30_000 },
  notes:
    "The index is that of the German environment agency, 1 for excellent to 5 for unhealthy. For three minutes after a " +
    "start, and for an hour after the very first, its values are `warming`. Equivalent CO2 is no measurement of carbon " +
    "dioxide.",

  async identify(chip) {
    const id = await readWordLe(chip, PART_ID);
    const model = MODEL_OF_ID[id];
    if (!model) throw mismatch(chip, "ENS160", `its part id is ${hex(id, 4)}`);
    return { model };
  },

  async open(chip, { temperature, humidity }, { clock }) {
    await chip.writeRegister(OPERATING_MODE, RESET);
    await clock.sleep(RESET_MS);
    const configure = async (signal?: AbortSignal) => {
      await chip.writeRegister(OPERATING_MODE, STANDARD);
      await clock.sleep(MODE_MS, signal);
      await writeWordLe(chip, TEMPERATURE_IN, temperatureWord(temperature));
      await writeWordLe(chip, HUMIDITY_IN, humidityWord(humidity));
    };
    await configure();
    return {
      async read(signal) {
        // Idle or asleep, it was reset.
        if ((await readByte(chip, OPERATING_MODE)) !== STANDARD) await configure(signal);
        for (const endMs = clock.monoMs() + MAX_WAIT_MS; ; await clock.sleep(POLL_MS, signal)) {
          // Alone: reading it, or the data in the same transfer, clears its NEWDAT (seen on a Pi: 0x83 alone, then 0x81).
          const status = await readByte(chip, STATUS);
          if ((status & NEW_DATA) !== 0) return decode(status, await chip.readRegister(DATA, 5));
          if (clock.monoMs() >= endMs) throw new GatewayError("NOT_READY", `no new data in ${MAX_WAIT_MS} ms`);
        }
      },
    };
  },
});

/** Index, TVOC, eCO2 from 0x21 on. Throws BAD_VALUE where the status reports an error (STATER), NOT_READY where they are not valid. */
export function decode(status: number, data: Uint8Array): Sample {
  if ((status & STATUS_ERROR) !== 0)
    throw new GatewayError("BAD_VALUE", `the chip's status is ${hex(status)}: an error`);
  const validity = (status >> 2) & 3;
  const aqi = (data[0] ?? 0) & 7;
  if (validity === VALIDITY.invalid || aqi === 0)
    throw new GatewayError("NOT_READY", "the chip says that its data is invalid");
  const values = { aqi, tvoc: littleEndian(data.subarray(1, 3)), eco2: littleEndian(data.subarray(3, 5)) };
  if (validity === VALIDITY.ok) return { values };
  return { values, quality: { aqi: "warming", tvoc: "warming", eco2: "warming" } };
}

/** 64ths of a kelvin (§16.2.5). */
export function temperatureWord(temperatureC: number): number {
  return Math.round((temperatureC + 273.15) * 64);
}

/** 512ths of a per cent (§16.2.6). */
export function humidityWord(percent: number): number {
  return Math.round(percent * 512);
}
