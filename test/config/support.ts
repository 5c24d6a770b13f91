import { z } from "zod";
import { type ParseOptions, parseConfig } from "../../src/config/parse.ts";
import { isConfigError, type Notice, type Problem } from "../../src/config/problems.ts";
import { type Driver, filesDriver, gpioDriver, i2cDriver, plannedDriver } from "../../src/drivers/driver.ts";
import { durationMs, pinPull } from "../../src/drivers/options.ts";

/** Drivers of every port, so that these tests hold whatever the registry has. */
const never = async (): Promise<never> => {
  throw new Error("not opened in these tests");
};

export const testDrivers: readonly Driver[] = [
  i2cDriver({
    name: "bme280",
    title: "Bosch BME280: temperature, humidity and pressure",
    addresses: [0x76, 0x77],
    options: {
      oversampling: z
        .union([z.literal(1), z.literal(16)])
        .default(1)
        .describe("Samples averaged"),
    },
    channels: { temperature: { quantity: "temperature" }, pressure: { quantity: "pressure" } },
    timing: { minIntervalMs: 100, expectedMs: 20 },
    open: never,
  }),
  i2cDriver({
    name: "sht4x",
    aliases: ["sht40", "sht45"],
    title: "Sensirion SHT4x",
    addresses: [0x44, 0x45, 0x46],
    options: { precision: z.enum(["high", "medium", "low"]).default("high").describe("Repeatability") },
    channels: { temperature: { quantity: "temperature" }, humidity: { quantity: "humidity" } },
    timing: { minIntervalMs: 100, expectedMs: 20 },
    open: never,
  }),
  filesDriver({
    name: "ds18b20",
    title: "Maxim DS18B20",
    options: { sensor: z.string().optional().describe("Its id on the bus") },
    channels: { temperature: { quantity: "temperature" } },
    timing: { minIntervalMs: 1000, expectedMs: 800, defaultIntervalMs: 60_000 },
    open: never,
  }),
  gpioDriver({
    name: "digital-input",
    title: "A contact",
    options: {
      pin: z.int().min(0).max(53).describe("BCM number"),
      invert: z.boolean().default(false).describe("Turn it round"),
      pull: pinPull().optional().describe("Pull resistor"),
      debounce: durationMs({ maxMs: 1000 }).prefault("20ms").describe("Shorter changes are bounce"),
      device_class: z.enum(["door", "window"]).optional().describe("What it is"),
    },
    channels: { state: { quantity: "binary" } },
    timing: { minIntervalMs: 10, expectedMs: 5 },
    notices: ({ pin }) => (pin < 2 ? ["this pin is not on the header"] : []),
    open: never,
  }),
  plannedDriver({
    name: "digital-output",
    title: "A relay",
    options: {
      pin: z.int().describe("BCM number"),
      safe_state: z
        .union([z.enum(["on", "off"]), z.boolean()])
        .prefault("off")
        .transform((state) => state === "on" || state === true)
        .describe("Without a controller"),
    },
    channels: { state: { quantity: "binary" } },
    timing: { minIntervalMs: 100, expectedMs: 5 },
  }),
];

export function parse(text: string, options: Partial<ParseOptions> = {}): ReturnType<typeof parseConfig> {
  const nothing = { secrets: new Map(), secretsFrom: "secrets.yaml", credentials: undefined, env: {} };
  return parseConfig(text, { file: "gateway.yaml", drivers: testDrivers, ...nothing, ...options });
}

/** What is wrong, in the file's order; fails the test where nothing is. */
export function problemsOf(text: string, options: Partial<ParseOptions> = {}): readonly Problem[] {
  try {
    parse(text, options);
  } catch (error) {
    if (isConfigError(error)) return error.problems;
    throw error;
  }
  throw new Error("this configuration was accepted");
}

/** `line:column message` of each error. */
export function errorsOf(text: string, options: Partial<ParseOptions> = {}): string[] {
  return problemsOf(text, options)
    .filter(({ severity }) => severity === "error")
    .map(({ line, column, message }) => `${line}:${column} ${message}`);
}

export function noticesOf(text: string, options: Partial<ParseOptions> = {}): readonly Notice[] {
  return parse(text, options).notices;
}
