import { z } from "zod";
import { type RequestName, requests, requestsAbout } from "./requests.ts";

/** RFC 3339 in UTC with milliseconds. */
const time = () => z.iso.datetime({ precision: 3 });
const count = () => z.int().nonnegative();
/** Reason -> how often. */
const counts = () => z.record(z.string(), count());
const value = z
  .union([z.number(), z.boolean(), z.string()])
  .describe("A number in the channel's unit, a state, a text");
const position = { epoch: count().describe("Life of the store"), seq: count().describe("1, 2, 3 … within its epoch") };

const availability = z.enum(["online", "offline"]);

const info = z.strictObject({
  id: z.string().describe("The gateway's id, as in topics"),
  name: z.string(),
  area: z.string().optional(),
  instance: z.string().describe("Stable per installation: tells two under one id apart"),
  version: z.string(),
  host: z.string(),
  model: z.string().optional().describe("Of the board"),
  kernel: z.string(),
  broker: z.enum(["bundled", "external"]),
  epoch: count(),
  starts: count().optional().describe("How often it was started since the store began"),
  started: time(),
  devices: z.array(z.strictObject({ id: z.string(), name: z.string(), driver: z.string() })),
});

const counters = {
  sampled: count().describe("Readings since the store began: delivered + pending + dropped at all times"),
  delivered: count(),
  unheard: count().describe("Of the delivered: the broker said that nobody was subscribed"),
  pending: count(),
  dropped: counts().describe("By reason"),
};

const fault = z.strictObject({
  code: z.string(),
  message: z.string(),
  part: z.string().optional(),
  device: z.string().optional(),
  channel: z.string().optional().describe("The one channel that it is about; the others go on"),
});

const bundledBroker = z.strictObject({
  clients: count().describe("The gateway itself among them"),
  sessions: count(),
  subscriptions: count(),
  retained: z.strictObject({ messages: count(), bytes: count() }),
  queued: z.strictObject({ messages: count(), bytes: count() }).describe("Waiting for clients that are away or slow"),
  dropped: counts().describe("Deliveries that were not made, by reason"),
  refused_connections: counts().describe("Connections that did not become a client, by reason"),
  refusals: counts().describe("By MQTT reason code in hex"),
});

const health = z.strictObject({
  ...counters,
  dropped_total: count(),
  buffer: z.strictObject({ bytes: count(), oldest_s: count().describe("Age of the oldest pending reading") }),
  consumers: z
    .record(z.string(), z.strictObject({ delivered: count(), pending: count(), dropped_total: count() }))
    .optional()
    .describe("Of each that sends receipts"),
  receipts_ignored: counts().optional().describe("By reason"),
  wear: z
    .strictObject({ mb_per_day: z.number(), disk_mb_per_day: z.number().optional() })
    .optional()
    .describe("What the gateway writes, and the whole disk where it can be told"),
  events: z
    .strictObject({ delivered: count(), dropped: counts() })
    .optional()
    .describe("Presses, turns; absent while none has happened"),
  broker: bundledBroker.optional().describe("The broker in the same process"),
  error_rate: z.number().describe("Failed reads, in per cent"),
  version: z.string(),
  latest: z.string().optional().describe("The newest version, where `home_assistant.update_url` says"),
  starts: count().optional(),
  host: z
    .record(z.string(), value)
    .optional()
    .describe("Temperature, throttling and Wi-Fi of the machine, where it has them"),
  retained: count().describe("Topics that this gateway has retained at its broker"),
  clock: z.string().describe("Whether readings can be dated"),
  faults: z.array(fault),
  devices: z.record(
    z.string(),
    z.strictObject({
      state: z.enum(["starting", "ok", "failing", "absent"]),
      online: z.boolean(),
      code: z.string().optional(),
      reason: z.string().optional(),
      reads: count(),
      errors: count(),
    }),
  ),
  time: time(),
});

const config = z.strictObject({
  id: z.string(),
  name: z.string(),
  driver: z.string(),
  manufacturer: z.string().optional(),
  model: z.string().optional(),
  serial: z.string().optional(),
  area: z.string().optional(),
  interval_s: z.number().nonnegative(),
  offsets: z
    .record(z.string(), z.number())
    .optional()
    .describe(
      "Calibration of each channel whose offset can be changed: by `<channel>_offset/set`, a number or `reset`",
    ),
  channels: z.array(
    z.strictObject({
      key: z.string().describe("As in `state` and `readings`"),
      title: z.string(),
      quantity: z.string(),
      unit: z.string().optional().describe("In Home Assistant's spelling"),
      decimals: count(),
      min: z.number().optional(),
      max: z.number().optional(),
      device_class: z.string().optional(),
      diagnostic: z.literal(true).optional(),
      event_types: z
        .array(z.string())
        .optional()
        .describe("It has no values: these are told on `<dev>/<channel>/event`"),
      settable: z.enum(["switch", "level", "meter"]).optional().describe("It takes commands on `<dev>/<channel>/set`"),
    }),
  ),
});

const state = z.object({ time: time() }).catchall(value).describe("Channel -> its newest value");

const readings = z.strictObject({
  ...position,
  time: time(),
  clock: z.enum(["synced", "estimated"]).describe("How far `time` can be trusted"),
  earliest: time().optional().describe("Bounds of an estimated time, where they are known"),
  latest: time().optional(),
  values: z.record(z.string(), value).describe("Channel -> value; a channel without data is absent"),
  quality: z.record(z.string(), z.string()).optional().describe("Of the channels that are not `good`"),
  replay: z.boolean().describe("Taken before the connection came up: history, not news"),
});

const event = z
  .object({ event_type: z.string().describe("One of the channel's `event_types`"), time: time() })
  .catchall(z.number())
  .describe("It happened within the last seconds: never replayed, never retained");

const gaps = z.strictObject({
  epoch: count(),
  from: count().optional().describe("First `seq`"),
  to: count()
    .optional()
    .describe(
      "Last `seq`. Absent where `from` is there (a power cut): whatever came after `from` is in doubt, and so are later epochs that a failing disk never took",
    ),
  count: count(),
  reason: z.string(),
  since: time().optional(),
  until: time().optional(),
  consumer: z.string().optional().describe("For whom it was dropped; the broker where it is absent"),
});

const ack = z.object({ epoch: count(), seq: count() }).describe("The consumer has everything up to here");

const refused = z.strictObject({
  ok: z.literal(false),
  error: z.strictObject({ code: z.string(), message: z.string() }),
});
const replayRequest = z.object({ epoch: count(), from: z.int().positive(), to: z.int().positive().optional() });
const replayAnswer = z.union([
  z.strictObject({
    ok: z.literal(true),
    epoch: count(),
    from: count(),
    to: count().describe("What is later than this is still on its way"),
    last: count().describe("Last `seq` of the epoch so far"),
    sent: count(),
    missing: z.array(z.tuple([count(), count()])).describe("Ranges of `seq` that are not there any more"),
  }),
  refused,
]);

const onOff = z.enum(["on", "off", "toggle"]);
const given = {
  for: z.union([z.string(), z.number().positive()]).optional().describe("A duration, or milliseconds; not for a meter"),
  time: z.union([z.string(), z.number()]).optional().describe("When it was asked for: too old a command is refused"),
};
const level = z.number().describe("Of a level in %, or what the meter shows");
const set = z.union([
  onOff,
  level,
  z.strictObject({ state: onOff, ...given }),
  z.strictObject({ value: level, ...given }),
]);

/** Each request but `replay`, with an answer that says what it did, or why it did not. */
function requestPayloads(): Record<string, Payload> {
  const answer = z.union([z.object({ ok: z.literal(true) }), refused]);
  return Object.fromEntries(
    (Object.keys(requests) as RequestName[]).flatMap((name) => {
      const asked = {
        ...json,
        topic: `<base>/<gw>/request/${name}`,
        about: requestsAbout[name],
        schema: requests[name],
      };
      const topic = `<base>/<gw>/response/${name}`;
      const answered = { ...json, topic, about: `The answer, where the request names no other topic`, schema: answer };
      return [
        [`request_${name}`, asked],
        [`response_${name}`, answered],
      ];
    }),
  );
}

interface Payload {
  /** With the placeholders of README. */
  readonly topic: string;
  readonly retained: boolean;
  /** `text`: as it is, not JSON. */
  readonly form: "text" | "json";
  readonly about: string;
  readonly schema: z.ZodType;
}

const json = { form: "json", retained: false } as const;
const kept = { form: "json", retained: true } as const;

/** Every payload that the gateway publishes or takes under its base topic, by name. */
export const payloads: Readonly<Record<string, Payload>> = {
  status: {
    ...kept,
    form: "text",
    topic: "<base>/<gw>/status",
    about: "The gateway's availability",
    schema: availability,
  },
  info: { ...kept, topic: "<base>/<gw>/info", about: "What the gateway is", schema: info },
  health: { ...kept, topic: "<base>/<gw>/health", about: "How the gateway is", schema: health },
  gaps: { ...json, topic: "<base>/<gw>/gaps", about: "What was dropped or lost", schema: gaps },
  device_status: {
    ...kept,
    form: "text",
    topic: "<base>/<gw>/<dev>/status",
    about: "A device's availability",
    schema: availability,
  },
  state: { ...kept, topic: "<base>/<gw>/<dev>/state", about: "A device's newest values, live only", schema: state },
  config: { ...kept, topic: "<base>/<gw>/<dev>/config", about: "What a device is", schema: config },
  readings: { ...json, topic: "<base>/<gw>/<dev>/readings", about: "Each reading, in order", schema: readings },
  event: { ...json, topic: "<base>/<gw>/<dev>/<channel>/event", about: "A press, a turn", schema: event },
  ack: { ...json, topic: "<base>/<gw>/ack/<consumer>", about: "A consumer's receipt", schema: ack },
  set: { ...json, topic: "<base>/<gw>/<dev>/<channel>/set", about: "A command for an output", schema: set },
  ...requestPayloads(),
  request_replay: {
    ...json,
    topic: "<base>/<gw>/request/replay",
    about: "Asks for readings once more",
    schema: replayRequest,
  },
  response_replay: {
    ...json,
    topic: "<base>/<gw>/response/replay",
    about: "Answers when they were sent",
    schema: replayAnswer,
  },
};
