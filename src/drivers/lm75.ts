import { z } from "zod";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type DriverContext, i2cDriver, type Sensor } from "./driver.ts";
import { readByte, readWord, signed } from "./registers.ts";

/** Registers (NXP LM75B rev. 6.1, §7.4; the same in all of them). */
const TEMPERATURE = 0x00;
const CONFIG = 0x01;
const SHUTDOWN = 0x01;
/**
 * How many measurements beyond a limit the alert output waits for. It is one after power-on and two from us, which tells
 * whether the chip was reset: it shows 0 °C until its first conversion is done (SBOS288M, §7.5.2; SBOS854F).
 */
const FAULT_QUEUE = 0x18;
const TWO_FAULTS = 0x08;
const RESOLUTION = 0x60;
/** Starts a conversion in shutdown, and in some shows whether the alert is on. */
const ALERT = 0x80;

/** The slowest of those that choose no resolution, the first LM75 (National DS012658). */
const CONVERSION_MS = 300;
/** Bits -> code, and the longest conversion, which is the DS1775's. */
const RESOLUTIONS = {
  9: { code: 0x00, conversionMs: CONVERSION_MS },
  10: { code: 0x20, conversionMs: 375 },
  11: { code: 0x40, conversionMs: 750 },
  12: { code: 0x60, conversionMs: 1500 },
} as const;

const common = {
  addresses: [0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f],
  channels: { temperature: { quantity: "temperature", min: -55, max: 125 } },
} as const;
const NO_ID =
  "It has no id: whatever answers at its address is read as one. ADS1115, TMP102 and TMP117 share 0x48 to 0x4b.";

export const lm75 = i2cDriver({
  ...common,
  name: "lm75",
  aliases: ["lm75a", "lm75b"],
  title: "LM75, LM75A, LM75B and others of one resolution: temperature",
  model: "LM75",
  options: {
    bits: z
      .literal([9, 10, 11, 12])
      .default(11)
      .describe("Width of its temperature: 9 in a first LM75, 11 in LM75A and LM75B, 12 in ADT75"),
  },
  timing: { minIntervalMs: 500, expectedMs: 400 },
  notes: NO_ID,
  open: (chip, { bits }, context) => openLm75(chip, { bits, clear: 0, set: 0, conversionMs: CONVERSION_MS }, context),
});

export const tmp75 = i2cDriver({
  ...common,
  name: "tmp75",
  aliases: ["tmp175", "tmp275", "tmp1075", "ds75", "ds1775", "stds75", "mcp9800"],
  title:
    "TMP75, TMP175, TMP275, TMP1075, DS75, DS1775, STDS75, MCP9800 and others whose resolution is set: temperature",
  model: "TMP75",
  options: {
    bits: z
      .literal([9, 10, 11, 12])
      .default(12)
      .describe("Resolution: a DS75 or DS1775 takes over a second for 12 bits"),
  },
  timing: { minIntervalMs: 500, expectedMs: 400, deadlineMs: 5000 },
  notes: NO_ID,
  open(chip, { bits }, context) {
    const { code, conversionMs } = RESOLUTIONS[bits];
    return openLm75(chip, { bits, clear: RESOLUTION, set: code, conversionMs }, context);
  },
});

interface Setting {
  readonly bits: number;
  /** Bits of the configuration that are not left as another program set them. */
  readonly clear: number;
  readonly set: number;
  readonly conversionMs: number;
}

async function openLm75(
  chip: I2cDevice,
  { bits, clear, set, conversionMs }: Setting,
  { clock }: DriverContext,
): Promise<Sensor> {
  const kept = async () => (await readByte(chip, CONFIG)) & ~ALERT;
  /** The configuration then, which a chip without one of the bits does not take over whole. */
  const configure = async (found: number, signal?: AbortSignal): Promise<number> => {
    const queue = (found & FAULT_QUEUE) === 0 ? TWO_FAULTS : 0;
    const wanted = (found & ~(SHUTDOWN | clear)) | set | queue;
    if (found !== wanted) await chip.writeRegister(CONFIG, wanted);
    await clock.sleep(conversionMs, signal);
    return await kept();
  };
  let configured = await configure(await kept());
  return {
    async read(signal) {
      const found = await kept();
      if (found !== configured) configured = await configure(found, signal);
      return { values: { temperature: decode(await readWord(chip, TEMPERATURE), bits) } };
    },
  };
}

/** `bits` of two's complement at the top of the word; 256ths of a degree. What stands below is undefined. */
export function decode(word: number, bits: number): number {
  return signed(word >> (16 - bits), bits) * 2 ** (8 - bits);
}
