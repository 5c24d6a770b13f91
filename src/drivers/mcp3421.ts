import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Quality } from "../core/reading.ts";
import type { I2cDevice } from "../hardware/i2c.ts";
import { type ChannelTable, type DriverContext, i2cDriver, type Sensor } from "./driver.ts";
import { bigEndian, hex, signed } from "./registers.ts";

/** The configuration byte (DS22003E, §5.1): start and not-ready, channel, single conversion, rate, gain. */
const START_OR_BUSY = 0x80;
/** Bits -> code, and samples a second at least (§1, "Conversion Time"). */
const RESOLUTION = {
  12: { code: 0, perSecond: 176 },
  14: { code: 1, perSecond: 44 },
  16: { code: 2, perSecond: 11 },
  18: { code: 3, perSecond: 2.75 },
} as const;
type Bits = keyof typeof RESOLUTION;
const GAIN_CODE = { 1: 0, 2: 1, 4: 2, 8: 3 } as const;
const REFERENCE_V = 2.048;
const POLLS = 5;

export const mcp3421 = mcpDriver({
  name: "mcp3421",
  aliases: ["mcp342x", "mcp3422", "mcp3423", "mcp3424"],
  title: "Microchip MCP3421 to MCP3424: up to four voltages at up to 18 bits",
  inputs: "an MCP3421 has one, an MCP3422 or MCP3423 two, an MCP3424 four",
  resolutions: [12, 14, 16, 18],
});

/** Asked for 18 bits, these would send 16 in another place. */
export const mcp3425 = mcpDriver({
  name: "mcp3425",
  aliases: ["mcp3426", "mcp3427", "mcp3428"],
  title: "Microchip MCP3425 to MCP3428: up to four voltages at up to 16 bits",
  inputs: "an MCP3425 has one, an MCP3426 or MCP3427 two, an MCP3428 four",
  resolutions: [12, 14, 16],
});

interface Variant {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly title: string;
  readonly inputs: string;
  readonly resolutions: readonly Bits[];
}

function mcpDriver({ name, aliases, title, inputs, resolutions }: Variant) {
  return i2cDriver({
    name,
    aliases,
    title,
    manufacturer: "Microchip",
    model: name.toUpperCase(),
    addresses: [0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    options: {
      inputs: z
        .array(z.literal([1, 2, 3, 4]))
        .min(1)
        .max(4)
        .default([1])
        .meta({ title: "list of 1 to 4" })
        .describe(`The differential inputs that are measured: ${inputs}`),
      bits: z
        .literal(resolutions)
        .default(16)
        .describe("Resolution: at 12 bits an input takes 6 ms, at 14 23, at 16 91, at 18 364"),
      gain: z.literal([1, 2, 4, 8]).default(1).describe("Of the amplifier: full scale is 2.048 V divided by it"),
    },
    channels: inputChannels([1], 1),
    channelsFor: (options) => inputChannels(options.inputs, options.gain),
    timing: { minIntervalMs: 200, expectedMs: 150, deadlineMs: 10_000 },
    notes: "No pin may be below ground or above the supply. At the end of the scale a value is `saturated`.",
    open: openMcp,
  });
}

interface McpOptions {
  readonly inputs: readonly number[];
  readonly bits: Bits;
  readonly gain: keyof typeof GAIN_CODE;
}

async function openMcp(chip: I2cDevice, { inputs, bits, gain }: McpOptions, { clock }: DriverContext): Promise<Sensor> {
  const { code, perSecond } = RESOLUTION[bits];
  const length = bits === 18 ? 4 : 3;
  const convert = async (input: number, signal: AbortSignal) => {
    const config = ((input - 1) << 5) | (code << 2) | GAIN_CODE[gain];
    await chip.write([START_OR_BUSY | config]);
    await clock.sleep(1000 / perSecond, signal);
    for (let poll = 0; poll < POLLS; poll++) {
      const answer = await chip.read(length);
      const status = answer[length - 1] ?? 0;
      if ((status & 0x7f) !== config) throw new GatewayError("BAD_VALUE", `its configuration reads ${hex(status)}`);
      if ((status & START_OR_BUSY) === 0) return bigEndian(answer.subarray(0, length - 1));
      await clock.sleep(1000 / perSecond / POLLS, signal);
    }
    throw new GatewayError("NOT_READY", "still converting after twice the longest time");
  };
  await chip.read(length);
  return {
    async read(signal) {
      const values: Record<string, number> = {};
      const quality: Record<string, Quality> = {};
      for (const input of inputs) {
        const { volts, isSaturated } = decode(await convert(input, signal), bits, gain);
        values[`voltage_${input}`] = volts;
        if (isSaturated) quality[`voltage_${input}`] = "saturated";
      }
      return Object.keys(quality).length > 0 ? { values, quality } : { values };
    },
  };
}

/** Two's complement of `bits`, repeated sign bits above (§4.9). */
export function decode(code: number, bits: Bits, gain: number): { volts: number; isSaturated: boolean } {
  const value = signed(code, bits);
  const full = 2 ** (bits - 1);
  return { volts: (value * REFERENCE_V) / full / gain, isSaturated: value === full - 1 || value === -full };
}

function inputChannels(inputs: readonly number[], gain: number): ChannelTable {
  const end = REFERENCE_V / gain;
  return Object.fromEntries(
    inputs.map((input) => [
      `voltage_${input}`,
      { quantity: "voltage", title: `Voltage ${input}`, decimals: 6, min: -end, max: end },
    ]),
  );
}
