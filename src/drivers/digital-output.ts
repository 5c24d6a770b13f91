import { z } from "zod";
import type { Level } from "../hardware/gpio.ts";
import { type ChannelTable, gpioDriver } from "./driver.ts";
import { durationMs, onOff, pinNumber } from "./options.ts";
import { initialState, outputSensor } from "./output.ts";

const WEEK_MS = 7 * 86_400_000;
const upTo = (minMs: number) => durationMs({ minMs, maxMs: WEEK_MS });

export const digitalOutput = gpioDriver({
  name: "digital-output",
  title: "A GPIO pin that is driven: relays, pumps, valves and lamps",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    safe_state: onOff().prefault("off").describe("The state at start, at stop, and without a controller"),
    failsafe_after: upTo(1000).optional().describe("Back to the safe state when no controller was heard for this long"),
    max_on: upTo(100).optional().describe("The longest time away from the safe state, whatever is commanded"),
    on_for: upTo(10).optional().describe("A command that says no time of its own ends after this: a door opener"),
    min_on: upTo(0).prefault("0").describe("It stays on for so long before a command turns it off"),
    min_off: upTo(0).prefault("0").describe("It stays off for so long, after a start too: a compressor's rest"),
    interlock: z
      .string()
      .regex(/^[a-z0-9_-]{1,64}$/, { error: "expected a name of a to z, 0 to 9, `_` and `-`" })
      .optional()
      .describe("Name of a group of outputs of which one at a time is away from its safe state"),
    at_start: z
      .enum(["safe", "restore"])
      .default("safe")
      .describe("At start: the safe state, or the last commanded one"),
    at_stop: z.enum(["safe", "hold"]).default("safe").describe("At a stop of the service: the safe state, or as it is"),
    invert: z.boolean().default(false).describe("`on` drives the pin low: relay boards that switch on a low level"),
    device_class: z.enum(["outlet", "switch"]).optional().describe("What it is to Home Assistant"),
  },
  channels: { state: { quantity: "binary", settable: "switch" } },
  channelsFor: ({ device_class: deviceClass }): ChannelTable => ({
    state: { quantity: "binary", settable: "switch", ...(deviceClass && { deviceClass }) },
  }),
  timing: { minIntervalMs: 1000, expectedMs: 50 },
  notes:
    "The level is set before the pin becomes an output, and `state` is read back. Through sysfs the kernel holds the level when the " +
    "process ends; while the Pi boots, or is off, only a resistor does. On a kernel without sysfs GPIO libgpiod's `gpioset` " +
    "drives the pin: then nothing but a resistor holds it after a stop or a crash either, and `state` is what was set. A controller is there while Home Assistant says `online` on its " +
    "status topic (let it retain its birth message, or a restart of the gateway looks like its absence), and whenever it " +
    "commands. `max_on` and `failsafe_after` do not wait for `min_on` and `min_off`.",

  async open(gpio, { pin, invert, ...options }, context) {
    const levelOf = (on: boolean): Level => (on === invert ? 0 : 1);
    const safe = options.safe_state;
    const initial = initialState(options.at_start, safe, context);
    const output = await gpio.output(pin, levelOf(initial));
    const relay = {
      set: (on: boolean) => output.set(levelOf(on)),
      get: async () => (await output.level()) === levelOf(true),
      release: async () => await output[Symbol.asyncDispose](),
    };
    const facts = {
      safe,
      atStop: options.at_stop,
      failsafeAfterMs: options.failsafe_after,
      maxOnMs: options.max_on,
      onForMs: options.on_for,
      minOnMs: options.min_on,
      minOffMs: options.min_off,
      interlock: options.interlock,
    };
    return outputSensor(relay, initial, facts, context);
  },
});
