import { z } from "zod";
import { isLoopback } from "../loopback.ts";
import { present } from "../present.ts";
import { brokerLimits } from "./broker-limits.ts";
import { count, duration, filePath, qosLevel, text } from "./scalars.ts";

const PORT = 1883;
const TLS_PORT = 8883;

const listenerTls = z
  .strictObject({
    cert: filePath().describe("Certificate chain (PEM)"),
    key: filePath().describe("Private key (PEM)"),
    ca: filePath().optional().describe("Certificates that clients' certificates must descend from (PEM)"),
    require_certificate: z.boolean().default(false).describe("Refuse clients without a certificate of `ca`"),
    crl: filePath().optional().describe("Revoked client certificates (PEM)"),
    identity_as_username: z.boolean().default(false).describe("The certificate's common name is the user name"),
    subject_as_username: z.boolean().default(false).describe("The certificate's whole subject is the user name"),
    min_version: z
      .union([z.enum(["1.2", "1.3"]), z.literal(1.2), z.literal(1.3)])
      .default("1.2")
      .describe("Oldest TLS version taken"),
  })
  .transform((tls) =>
    present({
      certFile: tls.cert,
      keyFile: tls.key,
      caFile: tls.ca,
      crlFile: tls.crl,
      requireCertificate: tls.require_certificate,
      identityAsUsername: tls.identity_as_username,
      subjectAsUsername: tls.subject_as_username,
      minVersion: String(tls.min_version) as "1.2" | "1.3",
    }),
  );

const files = {
  password_file: filePath()
    .optional()
    .describe("Users and passwords in Mosquitto's format; `fieldpost passwd` writes it")
    .meta({ examples: ["/etc/fieldpost/passwords"] }),
  acl_file: filePath()
    .optional()
    .describe("Who may use which topics, in Mosquitto's format")
    .meta({ examples: ["/etc/fieldpost/acl"] }),
} as const;

const listener = z.strictObject({
  address: text(64)
    .optional()
    .describe("Address to listen on; 127.0.0.1 by default")
    .meta({ examples: ["0.0.0.0"] }),
  port: count(0, 65535).optional().describe("Port to listen on: 1883, or 8883 with TLS; 0 takes any that is free"),
  path: filePath()
    .optional()
    .describe("A Unix socket instead of address and port")
    .meta({ examples: ["/run/fieldpost/mqtt.sock"] }),
  protocol: z.enum(["mqtt", "websocket"]).default("mqtt").describe("MQTT itself, or MQTT over WebSocket"),
  tls: listenerTls.optional().describe("Encrypt with this certificate"),
  allow_anonymous: z
    .boolean()
    .optional()
    .describe("Clients without a user name; by default only on loopback without a password file"),
  proxy_protocol: z
    .boolean()
    .default(false)
    .describe("Behind a proxy that says clients' addresses (PROXY protocol v2); let nobody else reach this port"),
  insecure: z
    .boolean()
    .default(false)
    .describe("Allow a listener beyond loopback without TLS or without authentication"),
  max_connections: count(1, 1_000_000).default(1000).describe("Connections at a time"),
  mount_point: z
    .string()
    .max(256)
    .regex(/^(?!\$)[^+#\0]*$/, { error: "expected a topic prefix without `+` and `#` that does not begin with `$`" })
    .default("")
    .describe("Put before every topic of this listener's clients, as `house1/`"),
  max_qos: qosLevel().default(2).describe("Highest QoS offered"),
  origins: z
    .array(text(256))
    .max(64)
    .optional()
    .describe("Web pages that may connect; by default those of the same host"),
  ...files,
});

type RawListener = z.output<typeof listener>;

const defaultListeners = [{ address: "127.0.0.1", port: PORT }];

export const brokerSection = z
  .strictObject({
    enabled: z.boolean().optional().describe("Run the bundled broker; by default where `mqtt.url` is absent"),
    listeners: z.array(listener).min(1).max(16).prefault(defaultListeners).describe("Where clients connect"),
    ...files,
    persistence: z.boolean().default(true).describe("Keep sessions, queued and retained messages over a restart"),
    persistence_window: duration({ maxMs: 3_600_000 })
      .optional()
      .describe("What a power cut may cost at most: 5s under `run`, 0 for `fieldpost broker` alone")
      .meta({ examples: ["5s"] }),
    auto_id_prefix: text(64).default("auto-").describe("Begins the id of clients that bring none"),
    sys_interval: duration({ maxMs: 86_400_000 })
      .prefault("10s")
      .describe("How often `$SYS` is published; 0 for never"),
    limits: brokerLimits,
  })
  .transform((broker) => {
    const common = { passwordFile: broker.password_file, aclFile: broker.acl_file };
    return present({
      enabled: broker.enabled,
      listeners: broker.listeners.map((raw) => listenerOf(raw, common)),
      ...common,
      persistence: broker.persistence,
      persistenceWindowMs: broker.persistence_window,
      autoIdPrefix: broker.auto_id_prefix,
      sysIntervalMs: broker.sys_interval,
      limits: broker.limits,
    });
  })
  .prefault({})
  .describe("The bundled broker");

/** A listener with everything that it inherits. */
function listenerOf(raw: RawListener, common: { passwordFile: string | undefined; aclFile: string | undefined }) {
  const address = raw.address ?? "127.0.0.1";
  const passwordFile = raw.password_file ?? common.passwordFile;
  const local = raw.path !== undefined || isLoopback(address);
  return present({
    endpoint:
      raw.path === undefined
        ? { kind: "tcp" as const, address, port: raw.port ?? (raw.tls ? TLS_PORT : PORT) }
        : { kind: "unix" as const, path: raw.path },
    protocol: raw.protocol,
    tls: raw.tls,
    proxyProtocol: raw.proxy_protocol,
    insecure: raw.insecure,
    allowAnonymous: raw.allow_anonymous ?? (local && passwordFile === undefined),
    maxConnections: raw.max_connections,
    mountPoint: raw.mount_point,
    maxQos: raw.max_qos,
    origins: raw.origins,
    passwordFile,
    aclFile: raw.acl_file ?? common.aclFile,
  });
}

export type ListenerConfig = ReturnType<typeof listenerOf>;
