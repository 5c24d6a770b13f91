import { z } from "zod";
import type { Level } from "../hardware/gpio.ts";
import { type ChannelTable, gpioDriver } from "./driver.ts";
import { onOff, pinNumber } from "./options.ts";
import { initialState, outputSensor, switched } from "./output.ts";
import { outputFacts, outputOptions, upToWeek } from "./output-options.ts";

export const digitalOutput = gpioDriver({
  name: "digital-output",
  title: "A GPIO pin that is driven: relays, pumps, valves and lamps",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    safe_state: onOff().prefault("off").describe("The state at start, at stop, and without a controller"),
    ...outputOptions,
    min_on: upToWeek(0).prefault("0").describe("It stays on for so long before a command turns it off"),
    min_off: upToWeek(0).prefault("0").describe("It stays off for so long, after a start too: a compressor's rest"),
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
    const initial = initialState(switched, options.at_start, safe, context);
    const output = await gpio.output(pin, levelOf(initial));
    const relay = {
      set: (on: boolean) => output.set(levelOf(on)),
      get: async () => (await output.level()) === levelOf(true),
      byFile: (on: boolean) => output.byFile?.(levelOf(on)),
      release: async () => await output[Symbol.asyncDispose](),
    };
    const facts = { safe, ...outputFacts(options), minOnMs: options.min_on, minOffMs: options.min_off };
    return outputSensor(switched, relay, initial, facts, context);
  },
});
