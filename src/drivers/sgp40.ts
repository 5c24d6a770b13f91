import { z } from "zod";
import type { Quality, Sample } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type ChannelTable, type DriverContext, i2cDriver, type Sensor, sampleOf } from "./driver.ts";
import { GasIndex, settlingMs } from "./gas-index.ts";
import { keptValue } from "./kept-value.ts";
import { ownRhythm } from "./own-rhythm.ts";
import { hex, mismatch } from "./registers.ts";
import { ask, askSerial, tell } from "./sensirion.ts";

/** Commands (Sensirion SGP40 datasheet v1.2, §3.1; SGP41 v1.0, §3.2). */
const MEASURE_VOC = { code: 0x260f, waitMs: 30 };
const MEASURE_BOTH = { code: 0x2619, waitMs: 50 };
/** Before NOx is measured, for ten seconds and never longer: it would harm the sensor. */
const CONDITION = { code: 0x2612, waitMs: 50 };
const CONDITION_MS = 10_000;
const HEATER_OFF = { code: 0x3615, waitMs: 1 };
const FEATURES = { code: 0x202f, waitMs: 1 };
const FEATURES_OF = { SGP40: 0x20, SGP41: 0x40 } as const;
type Model = keyof typeof FEATURES_OF;

const PERIOD_MS = 1000;
const KEEP_EVERY_MS = 60_000;
const LEARNT_AFTER_MS = 3 * 3600 * 1000;
/** Sensirion: not after an interruption of more than ten minutes. */
const MAX_AGE_MS = 10 * 60_000;
const learnt = z.object({ mean: z.number(), std: z.number().positive() });

const options = {
  temperature: z.number().min(-45).max(130).default(25).describe("Of the air in °C, for the chip's compensation"),
  humidity: z.number().min(0).max(100).default(50).describe("Of the air in %, for the chip's compensation"),
};
interface Compensation {
  readonly temperature: number;
  readonly humidity: number;
}

const vocChannels = {
  voc_index: { quantity: "voc_index", min: 1, max: 500 },
  voc_raw: { quantity: "number", title: "VOC raw", decimals: 0, min: 0, max: 65_535, diagnostic: true },
} as const satisfies ChannelTable;
const noxChannels = {
  nox_index: { quantity: "nox_index", min: 1, max: 500 },
  nox_raw: { quantity: "number", title: "NOx raw", decimals: 0, min: 0, max: 65_535, diagnostic: true },
} as const satisfies ChannelTable;

const common = {
  manufacturer: "Sensirion",
  addresses: [0x59],
  options,
  timing: { minIntervalMs: 2000, expectedMs: 1500, defaultIntervalMs: 30_000 },
} as const;
const indexNote =
  "The chip is measured every second, whatever the interval, because the index follows from the course of its signal " +
  "(Sensirion's Gas Index Algorithm). 100 is what the air usually is, more is worse. There is no index in the first 45 s; " +
  "until it has settled it is `warming`. What it has learnt outlives restarts of up to ten minutes.";

export const sgp40 = i2cDriver({
  ...common,
  name: "sgp40",
  title: "Sensirion SGP40: VOC index",
  model: "SGP40",
  channels: vocChannels,
  notes: indexNote,
  identify: (chip, context) => identify(chip, "SGP40", context),
  open: (chip, compensation, context) => openSgp4x(chip, "SGP40", compensation, context),
});

export const sgp41 = i2cDriver({
  ...common,
  name: "sgp41",
  title: "Sensirion SGP41: VOC index and NOx index",
  model: "SGP41",
  channels: { ...vocChannels, ...noxChannels },
  notes: `${indexNote} For NOx 1 is what the air usually is.`,
  identify: (chip, context) => identify(chip, "SGP41", context),
  open: (chip, compensation, context) => openSgp4x(chip, "SGP41", compensation, context),
});

async function identify(chip: I2cDevice, model: Model, context: DriverContext) {
  const [features = 0] = await ask(chip, FEATURES, 1, context);
  if ((features & 0x1ff) !== FEATURES_OF[model]) throw mismatch(chip, model, `its features are ${hex(features, 4)}`);
  return await askSerial(chip, context);
}

async function openSgp4x(
  chip: I2cDevice,
  model: Model,
  compensation: Compensation,
  context: DriverContext,
): Promise<Sensor> {
  const { clock } = context;
  const { serial = "" } = await askSerial(chip, context);
  const kept = keptValue(context, { schema: learnt, serial, maxAgeMs: MAX_AGE_MS });
  const found = kept.restore();
  const voc = new GasIndex("voc", found);
  const nox = new GasIndex("nox");
  const words = compensationWords(compensation);
  const openedMs = clock.monoMs();
  // What was restored had been learnt for three hours before.
  const learntMs = found ? openedMs : openedMs + LEARNT_AFTER_MS;
  let keptMs = openedMs;

  const quality = (gas: "voc" | "nox", isRestored: boolean): Quality =>
    isRestored || clock.monoMs() - openedMs >= settlingMs(gas) ? "good" : "warming";

  const measure = async (): Promise<Sample> => {
    const isConditioning = model === "SGP41" && clock.monoMs() - openedMs < CONDITION_MS;
    const command = model === "SGP40" ? MEASURE_VOC : isConditioning ? CONDITION : MEASURE_BOTH;
    const isBoth = command === MEASURE_BOTH;
    const [vocRaw = 0, noxRaw = 0] = await ask(chip, command, isBoth ? 2 : 1, context, words);
    const values = { voc_index: voc.process(vocRaw), voc_raw: vocRaw };
    const noxValues = isBoth ? { nox_index: nox.process(noxRaw), nox_raw: noxRaw } : {};
    const now = clock.monoMs();
    if (now >= learntMs && now - keptMs >= KEEP_EVERY_MS) {
      kept.keep(voc.learnt);
      keptMs = now;
    }
    const qualities = { voc_index: quality("voc", found !== undefined), nox_index: quality("nox", false) };
    return withQuality(sampleOf({ ...values, ...noxValues }), qualities);
  };

  const rhythm = ownRhythm(PERIOD_MS, clock, measure);
  return {
    read: (signal) => rhythm.next(signal),
    async close() {
      await rhythm.close();
      await tell(chip, { ...HEATER_OFF, waitMs: 0 }, context);
    },
  };
}

function withQuality({ values }: Sample, qualities: Readonly<Record<string, Quality>>): Sample {
  const quality = Object.fromEntries(Object.entries(qualities).filter(([key, one]) => key in values && one !== "good"));
  return Object.keys(quality).length > 0 ? { values, quality } : { values };
}

/** Humidity, then temperature, in ticks (SGP40 datasheet, table 10). */
export function compensationWords({ temperature, humidity }: Compensation): number[] {
  return [Math.round((humidity * 65535) / 100), Math.round(((temperature + 45) * 65535) / 175)];
}
