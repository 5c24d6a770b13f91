import { z } from "zod";
import { plannedDriver } from "./driver.ts";
import { durationMs, pinNumber, pinPull } from "./options.ts";

export const pulseCounter = plannedDriver({
  name: "pulse-counter",
  title: "Pulses on a GPIO pin: water, gas and electricity meters, flow and rain gauges",
  options: {
    pin: pinNumber().describe("BCM number of the pin"),
    per_pulse: z.number().positive().default(1).describe("What one pulse stands for, in `unit`"),
    unit: z
      .string()
      .min(1)
      .max(16)
      .optional()
      .describe("Unit of the total: `L`, `m³`, `kWh`; without it pulses are counted"),
    device_class: z
      .enum(["water", "gas", "energy", "volume", "precipitation"])
      .optional()
      .describe("What the total is to Home Assistant"),
    debounce: durationMs({ maxMs: 10_000 })
      .prefault("5ms")
      .describe("A pulse this soon after the last is contact bounce"),
    pull: pinPull().optional().describe("Pull resistor inside the Pi; by default it is left as it is"),
    invert: z.boolean().default(false).describe("Count falling edges: a contact to ground with a pull-up"),
  },
  channels: { total: { quantity: "count", min: 0 } },
  channelsFor: ({ unit, device_class: deviceClass }) => ({
    total: { quantity: "count", min: 0, ...(unit && { unit, decimals: 3 }), ...(deviceClass && { deviceClass }) },
  }),
  timing: { minIntervalMs: 1000, expectedMs: 50 },
});
