import { z } from "zod";
import { binaryDeviceClasses } from "../core/binary-classes.ts";
import type { Edge, Level } from "../hardware/gpio.ts";
import { type ChannelTable, type DriverContext, gpioDriver } from "./driver.ts";
import { durationMs, pinNumber, pinPull } from "./options.ts";

export const digitalInput = gpioDriver({
  name: "digital-input",
  title: "A contact on a GPIO pin: doors and windows, motion and leak detectors",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    pull: pinPull().optional().describe("Pull resistor inside the Pi; by default it is left as it is"),
    invert: z.boolean().default(false).describe("A low level is `on`: a contact to ground with a pull-up"),
    debounce: durationMs({ maxMs: 10_000 })
      .prefault("0")
      .describe("A change counts once the level has been stable for this long"),
    hold: durationMs({ maxMs: 3_600_000 })
      .prefault("0")
      .describe("`on` stays for this long after the pin went off: for detectors that trigger again and again"),
    device_class: z
      .enum(binaryDeviceClasses)
      .optional()
      .describe("What it is to Home Assistant: `door`, `motion`, `moisture` (a leak)"),
  },
  channels: { state: { quantity: "binary" } },
  channelsFor: ({ device_class: deviceClass }): ChannelTable => ({
    state: { quantity: "binary", ...(deviceClass && { deviceClass }) },
  }),
  timing: { minIntervalMs: 100, expectedMs: 50 },
  notes:
    "Changes are sent as they happen, and the state with each interval. `pull` and `debounce` take libgpiod's tools (package " +
    "`gpiod`): a pin with `pull` needs them, one with `debounce` does without where they are missing. A pull resistor of the " +
    "Pi is gone while it boots, and when the service stops: where that matters, solder one.",

  notices({ pin, pull }) {
    if (pull === undefined || typeof pin !== "number") return [];
    const overlay = `gpio=${pin}=ip,${{ up: "pu", down: "pd", off: "pn" }[pull]}`;
    return [
      `\`pull: ${pull}\` needs the package gpiod; without it, leave \`pull\` out and put \`${overlay}\` into /boot/firmware/config.txt`,
    ];
  },

  async open(gpio, { pin, pull, invert, debounce: debounceMs, hold: holdMs }, { clock }) {
    const input = await gpio.input(pin, { kernelTime: debounceMs > 0, ...(pull && { pull }) });
    const on: Level = invert ? 0 : 1;
    const sampleAt = (level: Level) => ({ values: { state: level === on } });
    const closing = new AbortController();
    const bouncing = { now: false };
    let settled: Level | undefined;
    return {
      async read() {
        if (!bouncing.now || settled === undefined) settled = await input.level();
        return sampleAt(settled);
      },
      watch(emit) {
        const settle = (level: Level) => {
          if (level === settled) return;
          settled = level;
          emit(sampleAt(level));
        };
        const quietMs = (level: Level) => (settled === on && level !== on ? Math.max(debounceMs, holdMs) : debounceMs);
        input.onEdge(debounced(settle, quietMs, clock, bouncing, closing.signal));
      },
      async close() {
        closing.abort();
        await input[Symbol.asyncDispose]();
      },
    };
  },
});

/**
 * Hands a level on once no edge came for its `quietMs`, and says in `bouncing` that it waits for that. One sleeper, however
 * fast the edges come.
 */
function debounced(
  settle: (level: Level) => void,
  quietMs: (level: Level) => number,
  clock: DriverContext["clock"],
  bouncing: { now: boolean },
  signal: AbortSignal,
): (edge: Edge) => void {
  let newest: Level = 0;
  let quietAtMs = 0;
  const waitForQuiet = async () => {
    try {
      while (clock.monoMs() < quietAtMs) await clock.sleep(quietAtMs - clock.monoMs(), signal);
      bouncing.now = false;
      settle(newest);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  return ({ level }) => {
    newest = level;
    const waitMs = quietMs(level);
    quietAtMs = clock.monoMs() + waitMs;
    if (waitMs === 0) return settle(level);
    if (bouncing.now) return;
    bouncing.now = true;
    void waitForQuiet();
  };
}
