import { z } from "zod";
import { DEVICE_ID_PATTERN, RESERVED_DEVICE_IDS } from "../../core/device.ts";
import { formatDurationMs } from "../../core/duration.ts";
import type { Driver } from "../../drivers/driver.ts";
import { LOCAL } from "../bus-name.ts";
import { present } from "../present.ts";
import { computedChannels } from "./computed.ts";
import { busOptions } from "./device-bus.ts";
import { formerEntity } from "./entity.ts";
import { processingSteps } from "./processing.ts";
import { count, duration, qosLevel, text } from "./scalars.ts";

const MAX_DEVICES = 256;
const SHORTEST_INTERVAL_MS = 10;
const LONGEST_INTERVAL_MS = 7 * 86_400_000;

export function interval(minMs = SHORTEST_INTERVAL_MS) {
  return duration({ minMs: SHORTEST_INTERVAL_MS, maxMs: LONGEST_INTERVAL_MS }).superRefine((ms, context) => {
    if (ms >= minMs) return;
    context.addIssue({ code: "custom", message: `this sensor can be read every ${formatDurationMs(minMs)} at most` });
  });
}

const deviceId = z
  .string()
  .regex(DEVICE_ID_PATTERN, { error: "expected an id: a to z, 0 to 9, `_` and `-`, at most 64" })
  .refine((id) => !RESERVED_DEVICE_IDS.has(id), {
    error: `reserved, as it stands for something else in a topic: not one of ${[...RESERVED_DEVICE_IDS].join(", ")}`,
  });

const channelSettings = z
  .strictObject({
    name: text(64).optional().describe("Name for people, without the device's name"),
    enabled: z.boolean().default(true).describe("Publish this channel"),
    decimals: count(0, 9).optional().describe("Decimals in what is published"),
    stuck_after: z
      .union([z.literal("never"), duration({ minMs: 1000 })])
      .optional()
      .describe(
        "After so long of one and the same value it counts as stuck and is withheld; by default 6h where the sensor is finer than its own noise, else `never`",
      ),
    process: processingSteps.optional(),
    home_assistant: formerEntity.optional(),
  })
  .transform(({ stuck_after: stuckAfter, home_assistant: entity, ...same }) =>
    present({ ...same, entity, stuckAfterMs: stuckAfter === "never" ? Number.POSITIVE_INFINITY : stuckAfter }),
  )
  // With an id it is written once in the JSON Schema, not once a channel of each driver.
  .meta({ id: "channel" });

export type ChannelConfig = z.output<typeof channelSettings>;

const qosPart = qosLevel().optional();
const deviceQos = z
  .union([qosLevel(), z.strictObject({ state: qosPart, readings: qosPart, commands: qosPart })])
  .transform((qos) => (typeof qos === "object" ? qos : { state: qos, readings: qos, commands: qos }));

/** What every device has. */
const common = {
  id: deviceId
    .describe("Chosen once: it is in topics and entity ids, and does not change with the name")
    .meta({ examples: ["climate"] }),
  name: text(64).optional().describe("Name for people; by default made of the id"),
  enabled: z.boolean().default(true).describe("Read this device"),
  area: text(64).optional().describe("Suggested area in Home Assistant; by default the gateway's"),
  qos: deviceQos.optional().describe("QoS of this device: one number, or `state`, `readings` and `commands` apart"),
  previous_id: deviceId
    .optional()
    .describe(
      "The id that it had before: its entities, and what is kept for it, move over; nothing is left under the old id",
    ),
  offline_after: duration({ minMs: 1000 })
    .optional()
    .describe(
      "Without a reading for this long it counts as offline; by default three intervals, or what its driver needs",
    ),
  max_damaged: z
    .number()
    .min(0)
    .max(100)
    .default(10)
    .describe("Percent of its answers that may have a wrong checksum (they are read again) before that is a fault"),
} as const;

type Common = z.output<z.ZodObject<typeof common>>;

/** What can be checked of a device whose driver is not known. */
export const anyDevice = z.object({
  ...common,
  interval: interval().optional(),
  channels: z.record(z.string(), channelSettings).optional(),
  computed: computedChannels.optional(),
});

function deviceSchema(driver: Driver) {
  const channels = Object.fromEntries(Object.keys(driver.channels).map((key) => [key, channelSettings.optional()]));
  const shape = {
    ...common,
    driver: z.literal([driver.name, ...(driver.aliases ?? [])]).describe(driver.title),
    interval: interval(driver.timing.minIntervalMs)
      .optional()
      .describe("How often it is read; by default `defaults.interval`"),
    channels: z.object(channels).catchall(channelSettings).optional().describe("Settings of its channels, by key"),
    computed: computedChannels.optional(),
    ...busOptions(driver),
    ...driver.options,
  };
  return z
    .strictObject(shape)
    .transform((raw) => deviceOf(driver, raw as Common & Raw))
    .describe(driver.title);
}

type Raw = Record<string, unknown> & {
  readonly bus?: string;
  readonly address?: number;
  readonly interval?: number;
  readonly channels?: Readonly<Record<string, ChannelConfig>>;
  readonly computed?: z.output<typeof computedChannels>;
};

/** A device before what it inherits from the rest of the configuration. */
function deviceOf(driver: Driver, raw: Common & Raw) {
  const options = Object.fromEntries(Object.keys(driver.options).map((key) => [key, raw[key]]));
  return present({
    id: raw.id,
    name: raw.name ?? titleOf(raw.id),
    driver,
    bus: raw.bus ?? LOCAL,
    address: "address" in driver.options ? undefined : raw.address,
    enabled: raw.enabled,
    area: raw.area,
    intervalMs: raw.interval,
    qos: raw.qos,
    previousId: raw.previous_id,
    offlineAfterMs: raw.offline_after,
    damagedPercent: raw.max_damaged,
    channels: raw.channels ?? {},
    computed: raw.computed ?? {},
    options: options as Readonly<Record<string, unknown>>,
  });
}

/** `soil_probe` is `Soil probe`. */
function titleOf(id: string): string {
  const words = id.replaceAll(/[-_]+/g, " ").trim() || id;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** One alternative a driver, told apart by `driver`. */
export function devicesSection(drivers: readonly Driver[]) {
  const [first, ...others] = drivers.map(deviceSchema);
  if (!first) throw new Error("no drivers");
  return z
    .array(z.discriminatedUnion("driver", [first, ...others]))
    .max(MAX_DEVICES)
    .default([])
    .describe("What is read");
}

export type RawDevice = ReturnType<typeof deviceOf>;
