import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import { i2cDriver } from "./driver.ts";
import { hex, mismatch, readWord, signed, writeWord } from "./registers.ts";

/** Registers (SNOSD82D, §7.6). */
const TEMPERATURE = 0x00;
const CONFIG = 0x01;
const ID = 0x0f;
const ONE_SHOT = 0x0c00;
const DATA_READY = 0x2000;
/** What it shows before its first conversion. */
const NO_DATA = 0x8000;

const AVERAGING_CODE = { 1: 0, 8: 1, 32: 2, 64: 3 } as const;
/** 15.5 ms typically, 17.5 at most (§6.5). */
const CONVERSION_MS = 17.5;
const POLLS = 5;
const POLL_MS = 10;
const MODEL_OF_ID: Readonly<Record<number, string>> = { 278: "TMP116", 279: "TMP117" };

export const tmp117 = i2cDriver({
  name: "tmp117",
  aliases: ["tmp116", "tmp119"],
  title: "Texas Instruments TMP116, TMP117 and TMP119: temperature",
  manufacturer: "Texas Instruments",
  model: "TMP117",
  addresses: [0x48, 0x49, 0x4a, 0x4b],
  options: {
    averaging: z.literal([1, 8, 32, 64]).default(8).describe("Conversions averaged for one reading"),
  },
  channels: { temperature: { quantity: "temperature", decimals: 3, min: -55, max: 150 } },
  timing: { minIntervalMs: 250, expectedMs: 200, deadlineMs: 5000 },

  async identify(chip) {
    const id = await readWord(chip, ID);
    if (id === 0x2117) return { model: "TMP119" };
    const model = MODEL_OF_ID[id & 0x0fff];
    if (!model) throw mismatch(chip, "TMP117", `its id is ${hex(id, 4)}`);
    return { model };
  },

  async open(chip, { averaging }, { clock }) {
    return {
      async read(signal) {
        await writeWord(chip, CONFIG, ONE_SHOT | (AVERAGING_CODE[averaging] << 5));
        await clock.sleep(CONVERSION_MS * averaging, signal);
        for (let poll = 0; poll < POLLS; poll++) {
          if (((await readWord(chip, CONFIG)) & DATA_READY) !== 0) {
            return { values: { temperature: decode(await readWord(chip, TEMPERATURE)) } };
          }
          await clock.sleep(POLL_MS, signal);
        }
        throw new GatewayError("NOT_READY", `still converting ${POLLS * POLL_MS} ms after the longest time`);
      },
    };
  },
});

/** 128ths of a degree. Throws BAD_VALUE before the first conversion. */
export function decode(word: number): number {
  if (word === NO_DATA) throw new GatewayError("BAD_VALUE", "-256 °C is what it shows before its first conversion");
  return signed(word) / 128;
}
