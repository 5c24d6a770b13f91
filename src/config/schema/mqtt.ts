import { z } from "zod";
import { present } from "../present.ts";
import { brokerUrlProblem } from "./broker-url.ts";
import { count, duration, filePath, qosLevel, rate, secret, text, topic } from "./scalars.ts";

const brokerUrl = z
  .string()
  .max(512)
  .superRefine((value, context) => {
    const message = brokerUrlProblem(value);
    if (message) context.addIssue({ code: "custom", message });
  });

const tlsSection = z
  .strictObject({
    ca: filePath()
      .optional()
      .describe("Certificates to trust (PEM); by default the system's")
      .meta({ examples: ["/etc/fieldpost/ca.pem"] }),
    cert: filePath().optional().describe("Our certificate (PEM), where the broker asks for one"),
    key: filePath().optional().describe("Private key of `cert` (PEM)"),
  })
  .transform(({ ca, cert, key }) => present({ caFile: ca, certFile: cert, keyFile: key }))
  .describe("Host name and chain are always verified");

/** QoS by plane; a device may have its own. */
export const qosByPlane = {
  state: qosLevel().default(1).describe("QoS of `state` and of what describes a device"),
  readings: qosLevel().default(1).describe("QoS of `readings`; at 0 a broken connection loses what was under way"),
  commands: qosLevel().default(1).describe("QoS of our subscription to commands"),
} as const;

export const mqttSection = z
  .strictObject({
    url: z
      .union([brokerUrl, z.array(brokerUrl).min(1).max(8)])
      .optional()
      .describe(
        "The broker: mqtt, mqtts, ws or wss; of a list the first that answers. Without it the bundled broker is used",
      )
      .meta({ examples: ["mqtts://broker.example.org:8883"] }),
    username: text(256).optional().describe("User name at the broker"),
    password: secret()
      .optional()
      .describe("Password at the broker")
      .meta({ examples: ["!secret mqtt_password"] }),
    client_id: text(256)
      .optional()
      .describe("MQTT client id; by default made of the gateway's id and the installation"),
    protocol: z
      .union([z.enum(["auto", "5", "3.1.1"]), z.literal(5)])
      .default("auto")
      .describe("MQTT version; `auto` is 5, else 3.1.1"),
    base_topic: topic().default("fieldpost").describe("First part of every topic"),
    keep_alive: duration({ minMs: 5_000, maxMs: 65_535_000 })
      .prefault("30s")
      .describe("A connection silent for 1.5 times as long counts as lost"),
    publish: z
      .array(z.enum(["state", "readings"]))
      .min(1)
      .refine((planes) => new Set(planes).size === planes.length, { error: "one of them is here twice" })
      .default(["state", "readings"])
      .describe("Which planes are published: newest values, every reading"),
    drain_rate: rate().prefault(200).describe("Backlog messages a second after an outage, or `unlimited`"),
    connections: count(1, 16).default(1).describe("Connections that share the devices; order is kept for each device"),
    consumers: z
      .array(text(64).regex(/^[a-z0-9_-]+$/, { error: "expected a name of a to z, 0 to 9, `_` and `-`" }))
      .max(16)
      .default([])
      .describe("Consumers that send receipts on `ack/<consumer>`")
      .meta({ examples: [["telegraf"]] }),
    qos: z.strictObject(qosByPlane).prefault({}).describe("QoS by plane"),
    command_max_age: duration({ minMs: 1000, maxMs: 3_600_000 })
      .prefault("10s")
      .describe("A command that says when it was given, and is older, is refused"),
    tls: tlsSection.optional(),
  })
  .transform(({ url, client_id, base_topic, keep_alive, drain_rate, command_max_age, protocol, ...same }) =>
    present({
      ...same,
      urls: url === undefined ? [] : typeof url === "string" ? [url] : url,
      clientId: client_id,
      protocol: protocol === 5 ? "5" : protocol,
      baseTopic: base_topic,
      keepAliveMs: keep_alive,
      drainRate: drain_rate,
      commandMaxAgeMs: command_max_age,
    }),
  )
  .prefault({})
  .describe("Where readings go");
