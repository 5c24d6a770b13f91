import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import { type ChannelTable, pwmDriver } from "./driver.ts";
import { initialState, type OutputKind, outputSensor } from "./output.ts";
import { outputFacts, outputOptions } from "./output-options.ts";

const FULL = 100;
const NS_PER_S = 1e9;

const level = { quantity: "ratio", title: "Level", min: 0, max: FULL, settable: "level" } as const;

export const pwmOutput = pwmDriver({
  name: "pwm-output",
  title: "A pin with pulse-width modulation by the hardware: dimmed lamps, fans, heaters",
  options: {
    pin: z
      .union([
        z.literal([12, 13, 18, 19]),
        z.strictObject({ chip: z.string().min(1).max(64), channel: z.int().min(0).max(31) }),
      ])
      .describe(
        "BCM number of a pin that has PWM: 12, 13, 18 or 19; or a channel of another chip that the kernel drives",
      )
      .meta({ title: "12, 13, 18, 19 or `{ chip: 1-0040, channel: 3 }`" }),
    frequency: z.number().min(1).max(1_000_000).default(1000).describe("Hz: 25000 for a PC's fan"),
    safe_level: z
      .number()
      .min(0)
      .max(FULL)
      .default(0)
      .describe("The level at start, at stop, and without a controller, in %"),
    ...outputOptions,
    invert: z.boolean().default(false).describe("100 % is low for all of the time: what switches on a low level"),
    device_class: z.enum(["light", "fan"]).optional().describe("What it is to Home Assistant; by default a number"),
  },
  channels: { level },
  channelsFor: ({ device_class: deviceClass }): ChannelTable => ({
    level: { ...level, ...(deviceClass && { deviceClass }) },
  }),
  timing: { minIntervalMs: 1000, expectedMs: 50 },
  notes:
    "The kernel's PWM (`/sys/class/pwm`): `dtoverlay=pwm,pin=18,func=2` in `/boot/firmware/config.txt` gives one pin, `pwm-2chan` two; 12 " +
    "and 13 have `func=4`, 18 and 19 `func=2`. Up to the Pi 4, 12 and 18 are one channel, 13 and 19 the other, and the headphone " +
    "socket takes both. Pins of other chips go by their device's name: `ls -l /sys/class/pwm/*/device`. A command is a number from " +
    "0 to 100, `on` (as it was before it was turned off), `off` or `toggle`; one with `for` ends in `safe_level`. `level` is " +
    "read back from the kernel. The hardware goes on with the last level when the process ends; before it starts, and while the " +
    "Pi boots, the pin is not driven.",

  async open(pwm, { pin, frequency, invert, safe_level: safe, ...options }, context) {
    const dutyOf = (percent: number) => (invert ? FULL - percent : percent) / FULL;
    const kind = dimmed();
    const initial = initialState(kind, options.at_start, safe, context);
    const output = await pwm.output(pin, { periodNs: Math.round(NS_PER_S / frequency), initial: dutyOf(initial) });
    const dimmer = {
      set: (percent: number) => output.set(dutyOf(percent)),
      get: async () => percentOf(await output.duty(), invert),
      byFile: (percent: number) => output.byFile?.(dutyOf(percent)),
      release: async () => await output[Symbol.asyncDispose](),
    };
    const facts = { safe, ...outputFacts(options), minOnMs: 0, minOffMs: 0 };
    return outputSensor(kind, dimmer, initial, facts, context);
  },
});

function percentOf(duty: number, invert: boolean): number {
  const percent = (invert ? 1 - duty : duty) * FULL;
  return Math.round(percent * 1000) / 1000;
}

/** `on` is as it was before it was turned off. */
function dimmed(): OutputKind<number> {
  let lit = FULL;
  const switchedTo = (on: boolean | "toggle" | undefined, wanted: number) => {
    if (on === undefined)
      throw new GatewayError("COMMAND_REFUSED", "it takes a number from 0 to 100, on, off or toggle");
    return (on === "toggle" ? wanted === 0 : on) ? lit : 0;
  };
  return {
    channel: "level",
    asked({ on, value }, wanted) {
      if (value !== undefined && !(value >= 0 && value <= FULL)) {
        throw new GatewayError("COMMAND_REFUSED", `it takes a level from 0 to 100 %, not ${value}`);
      }
      if (wanted > 0) lit = wanted;
      return value ?? switchedTo(on, wanted);
    },
    after: (_level, safe) => safe,
    write: String,
    read(text) {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      return value >= 0 && value <= FULL ? value : undefined;
    },
  };
}
