import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Quality, Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type ChannelFacts, type ChannelTable, type DriverContext, i2cDriver, type Sensor } from "./driver.ts";
import { hex, mismatch, readWord, signed, writeWord } from "./registers.ts";

/** Registers and the bits of the configuration (SBAS444E, §8.6; ADS1015: SBAS473E, §8.6). */
const CONVERSION = 0x00;
const CONFIG = 0x01;
const START_OR_IDLE = 0x8000;
const SINGLE_SHOT = 0x0100;
const COMPARATOR_OFF = 0x0003;
/** What it does after a reset: `a0-a1` at 2.048 V, which therefore is told from it by a bit of the comparator that is off. */
const AFTER_RESET = 0x0583;
const LATCHING = 0x0004;

const MUX = {
  a0: 0b100,
  a1: 0b101,
  a2: 0b110,
  a3: 0b111,
  "a0-a1": 0b000,
  "a0-a3": 0b001,
  "a1-a3": 0b010,
  "a2-a3": 0b011,
} as const;
type InputName = keyof typeof MUX;
type Names = readonly [InputName, ...InputName[]];

/** Full scale in volts -> code of the amplifier. */
const RANGE_CODE = { 6.144: 0, 4.096: 1, 2.048: 2, 1.024: 3, 0.512: 4, 0.256: 5 } as const;
type Range = keyof typeof RANGE_CODE;
const RANGES: readonly Range[] = [6.144, 4.096, 2.048, 1.024, 0.512, 0.256];

const inputOf = (names: Names, ranges: readonly Range[]) =>
  z.union([
    z.enum(names),
    z.strictObject({
      input: z.enum(names),
      key: z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,31}$/, "expected small letters, digits and underscores, such as tank_level")
        .optional(),
      title: z.string().min(1).optional(),
      range: z.literal(ranges).optional(),
      scale: z.number().default(1),
      offset: z.number().default(0),
      unit: z.string().min(1).optional(),
    }),
  ]);
type WrittenInput = z.output<ReturnType<typeof inputOf>>;

/** Samples a second -> code of the rate. */
const RATES_1115 = { 8: 0, 16: 1, 32: 2, 64: 3, 128: 4, 250: 5, 475: 6, 860: 7 } as const;
const RATES_1015 = { 128: 0, 250: 1, 490: 2, 920: 3, 1600: 4, 2400: 5, 3300: 6 } as const;
/** The oscillator may be slow by this (SBAS444E, §7.5). */
const TIME_MARGIN = 1.1;
const POLLS = 5;

const SIXTEEN_BITS = { bits: 16, rates: RATES_1115, rate: 128 } as const;
const TWELVE_BITS = { bits: 12, rates: RATES_1015, rate: 1600 } as const;
const FOUR_INPUTS = {
  names: Object.keys(MUX) as [InputName, ...InputName[]],
  inputs: ["a0", "a1", "a2", "a3"],
  ranges: RANGES,
  range: 4.096,
  mark: LATCHING,
} as const;
/** Without the multiplexer, whose bits then say nothing (SBAS444E, configuration register). */
const ONE_PAIR = { ...FOUR_INPUTS, names: ["a0-a1"], inputs: ["a0-a1"] } as const;
/** Without amplifier and comparator, too. */
const ONE_RANGE = { ...ONE_PAIR, ranges: [2.048], range: 2.048, mark: 0 } as const;

const FOUR_INPUTS_NOTE = "An input is `a0` to `a3` against ground, or a pair such as `a0-a1`.";
const ONE_PAIR_NOTE = "Its one input is `a0-a1`; against ground with A1 connected to it.";
const COMMON_NOTE =
  "As an object it has `input`, and may have `key`, `title`, `range`, and for what the voltage stands for `scale`, " +
  "`offset` and `unit`: the value is the voltage times the scale plus the offset. No input may be above the supply, " +
  "whatever the range. At the end of the range a value is `saturated`.";

export const ads1115 = adsDriver("ADS1115", "four voltages at 16 bits", { ...FOUR_INPUTS, ...SIXTEEN_BITS });
export const ads1114 = adsDriver("ADS1114", "one voltage at 16 bits", { ...ONE_PAIR, ...SIXTEEN_BITS });
export const ads1113 = adsDriver("ADS1113", "one voltage at 16 bits", { ...ONE_RANGE, ...SIXTEEN_BITS });
export const ads1015 = adsDriver("ADS1015", "four voltages at 12 bits", { ...FOUR_INPUTS, ...TWELVE_BITS });
export const ads1014 = adsDriver("ADS1014", "one voltage at 12 bits", { ...ONE_PAIR, ...TWELVE_BITS });
export const ads1013 = adsDriver("ADS1013", "one voltage at 12 bits", { ...ONE_RANGE, ...TWELVE_BITS });

interface Variant {
  readonly names: Names;
  readonly inputs: readonly InputName[];
  readonly ranges: readonly Range[];
  readonly range: Range;
  readonly mark: number;
  readonly bits: 12 | 16;
  readonly rates: Readonly<Record<number, number>>;
  readonly rate: number;
}

function adsDriver(model: string, what: string, variant: Variant) {
  const { names, ranges, mark, bits, rates } = variant;
  const inputs = z
    .array(inputOf(names, ranges))
    .min(1)
    .max(8)
    .refine((written) => new Set(written.map(keyOf)).size === written.length, "expected each key once")
    .default([...variant.inputs])
    .meta({ title: "list of inputs" })
    .describe("What is measured, one after the other");
  const rate = z
    .literal(Object.keys(rates).map(Number))
    .default(variant.rate)
    .describe("Samples a second: the fewer, the less noise, and the longer each input takes");
  return i2cDriver({
    name: model.toLowerCase(),
    title: `Texas Instruments ${model}: ${what}`,
    manufacturer: "Texas Instruments",
    model,
    addresses: [0x48, 0x49, 0x4a, 0x4b],
    options: {
      inputs,
      range: z.literal(ranges).default(variant.range).describe("Full scale in volts, plus and minus"),
      rate,
    },
    channels: inputChannels(variant.inputs, variant.range),
    channelsFor: (options) => inputChannels(options.inputs, options.range),
    timing: { minIntervalMs: 100, expectedMs: 100, deadlineMs: 5000 },
    notes: `${names.length > 1 ? FOUR_INPUTS_NOTE : ONE_PAIR_NOTE} ${COMMON_NOTE}`,
    open: (chip, options, context) =>
      openAds(chip, options, { model, mark, bits, rateCode: rates[options.rate] ?? 0 }, context),
  });
}

interface Kind {
  readonly model: string;
  readonly mark: number;
  readonly bits: 12 | 16;
  readonly rateCode: number;
}

interface AdsOptions {
  readonly inputs: readonly WrittenInput[];
  readonly range: Range;
  readonly rate: number;
}

async function openAds(
  chip: I2cDevice,
  { inputs, range: commonRange, rate }: AdsOptions,
  { model, mark, bits, rateCode }: Kind,
  { clock }: DriverContext,
): Promise<Sensor> {
  const configOf = (written: WrittenInput) => {
    const { input: name, range: own = commonRange } = expanded(written);
    const config = (MUX[name] << 12) | (RANGE_CODE[own] << 9) | SINGLE_SHOT | (rateCode << 5) | COMPARATOR_OFF;
    return config === AFTER_RESET ? config | mark : config;
  };
  const [first = "a0"] = inputs;
  await writeWord(chip, CONFIG, configOf(first));
  const config = (await readWord(chip, CONFIG)) & ~START_OR_IDLE;
  if (config !== configOf(first)) throw mismatch(chip, model, `its configuration reads ${hex(config, 4)}`);

  const convert = async (written: WrittenInput, signal: AbortSignal): Promise<number> => {
    await writeWord(chip, CONFIG, configOf(written) | START_OR_IDLE);
    const conversionMs = (1000 / rate) * TIME_MARGIN + 0.1;
    await clock.sleep(conversionMs, signal);
    for (let poll = 0; poll < POLLS; poll++) {
      const status = await readWord(chip, CONFIG);
      if ((status & ~START_OR_IDLE) !== configOf(written)) {
        throw new GatewayError("BAD_VALUE", `the configuration reads ${hex(status, 4)}: the chip was reset meanwhile`);
      }
      if ((status & START_OR_IDLE) !== 0) return await readWord(chip, CONVERSION);
      await clock.sleep(conversionMs, signal);
    }
    throw new GatewayError("NOT_READY", `still converting after ${Math.round(POLLS * conversionMs)} ms more`);
  };

  return {
    async read(signal) {
      const values: Record<string, number> = {};
      const quality: Record<string, Quality> = {};
      for (const written of inputs) {
        const { range: own = commonRange, scale = 1, offset = 0 } = expanded(written);
        const { volts, isSaturated } = decode(await convert(written, signal), own, bits);
        const key = keyOf(written);
        values[key] = volts * scale + offset;
        if (isSaturated) quality[key] = "saturated";
      }
      const sample: Sample = { values };
      return Object.keys(quality).length > 0 ? { ...sample, quality } : sample;
    },
  };
}

/** Two's complement; the ADS1015's 12 bits stand at the top of the word. The last code of either end means clipped. */
export function decode(word: number, range: number, bits: 12 | 16): { volts: number; isSaturated: boolean } {
  const code = signed(word) >> (16 - bits);
  const full = 2 ** (bits - 1);
  return { volts: (code * range) / full, isSaturated: code === full - 1 || code === -full };
}

function expanded(written: WrittenInput): Exclude<WrittenInput, string> {
  return typeof written === "string" ? { input: written, scale: 1, offset: 0 } : written;
}

function keyOf(written: WrittenInput): string {
  const { input: name, key = name.replace("-", "_") } = expanded(written);
  return key;
}

function inputChannels(inputs: readonly WrittenInput[], commonRange: Range): ChannelTable {
  return Object.fromEntries(inputs.map((written) => [keyOf(written), channelOf(written, commonRange)]));
}

function channelOf(written: WrittenInput, commonRange: Range): ChannelFacts {
  const { input: name, title = name.toUpperCase(), range: own = commonRange, scale, offset, unit } = expanded(written);
  const ends = [-own, own].map((volts) => volts * scale + offset);
  const [min, max] = [Math.min(...ends), Math.max(...ends)];
  if (unit !== undefined && unit !== "V") return { quantity: "number", title, unit, min, max };
  return { quantity: "voltage", title, decimals: 4, min, max };
}
