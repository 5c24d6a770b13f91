import { present } from "../../config/present.ts";
import { brokerUrlProblem } from "../../config/schema/broker-url.ts";
import { SECRET_PASSWORD } from "./document.ts";
import { nameForPeople } from "./draft.ts";
import type { Entry } from "./entry.ts";

const TOPIC = /^[^+#/$\p{Cc}][^+#\p{Cc}]*$/u;
const KEEP_ALIVE_S = { min: 5, max: 65_535 };

export interface Connection {
  readonly gateway?: Record<string, unknown>;
  readonly mqtt: Record<string, unknown>;
  readonly home_assistant: { readonly enabled: boolean; readonly discovery_prefix?: string };
}

/** The section `mqtt`, where mqtt-io has its Home Assistant discovery too. */
export function connectionOf(mqtt: Entry): Connection {
  const tls = tlsOf(mqtt.section("tls"));
  const discovery = mqtt.section("ha_discovery");
  const isAnnounced = discovery.boolean("enabled") ?? false;
  const prefix = topicOf(discovery, "prefix");
  const name = nameForPeople(discovery.text("name"));
  discovery.finish();
  const connection = {
    mqtt: present({
      url: urlOf(mqtt, tls !== undefined),
      username: lineOf(mqtt, "user"),
      password: passwordOf(mqtt),
      client_id: lineOf(mqtt, "client_id"),
      protocol: protocolOf(mqtt),
      base_topic: topicOf(mqtt, "topic_prefix"),
      keep_alive: keepAliveOf(mqtt),
      tls: tls && Object.keys(tls).length > 0 ? tls : undefined,
    }),
    home_assistant: present({ enabled: isAnnounced, discovery_prefix: prefix }),
  };
  mqtt.without({
    clean_session: "the session is always clean: what waits for delivery is kept in the gateway's own store",
    status_topic: "the gateway's status is on `BASE/GATEWAY/status`",
    status_payload_running: "the status is `online` or `offline`",
    status_payload_stopped: "the status is `online` or `offline`",
    status_payload_dead: "the status is `online` or `offline`",
    client_module: "there is one MQTT client",
    reconnect_delay: "the pause between attempts grows by itself, with jitter",
    reconnect_count: "it never gives up connecting",
  });
  mqtt.finish();
  return name === undefined ? connection : { gateway: { name }, ...connection };
}

function urlOf(mqtt: Entry, isTls: boolean): string | undefined {
  const host = mqtt.text("host");
  const port = mqtt.number("port") ?? 1883;
  if (host === undefined) {
    mqtt.note("there is none, so the bundled broker is used", "host");
    return undefined;
  }
  const named = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const url = `${isTls ? "mqtts" : "mqtt"}://${named}:${port}`;
  if (/^[^\s/?#@\\]+$/.test(host) && brokerUrlProblem(url) === undefined) return url;
  mqtt.note("with its port this makes no address: set `mqtt.url`; until then the bundled broker is used", "host");
  return undefined;
}

function passwordOf(mqtt: Entry): typeof SECRET_PASSWORD | undefined {
  if (mqtt.text("password") === undefined) return undefined;
  mqtt.note("write it into `secrets.yaml` beside the configuration, as `mqtt_password: …`", "password");
  return SECRET_PASSWORD;
}

function lineOf(mqtt: Entry, key: string): string | undefined {
  const text = mqtt.text(key);
  if (text === undefined || (text.length <= 256 && !/\p{Cc}/u.test(text))) return text;
  mqtt.note("longer than 256 characters, or not one line; it is left out", key);
  return undefined;
}

function protocolOf(mqtt: Entry): string | undefined {
  const written = mqtt.text("protocol");
  if (written === "3.1") mqtt.note("3.1.1 is the oldest that is spoken", "protocol");
  return written === undefined ? undefined : "3.1.1";
}

function topicOf(entry: Entry, key: string): string | undefined {
  const written = entry.text(key)?.replace(/\/+$/, "");
  if (written === undefined || written === "") return undefined;
  if (TOPIC.test(written) && written.length <= 256) return written;
  entry.note("no topic that messages could be published under; ours is used", key);
  return undefined;
}

function keepAliveOf(mqtt: Entry): string | undefined {
  const seconds = mqtt.number("keepalive");
  if (seconds === undefined) return undefined;
  const kept = Math.min(KEEP_ALIVE_S.max, Math.max(KEEP_ALIVE_S.min, Math.round(seconds)));
  if (kept !== seconds) mqtt.note(`${kept}s in its place`, "keepalive");
  return `${kept}s`;
}

/** Undefined without TLS; empty where the system's certificates are trusted. */
function tlsOf(tls: Entry): Record<string, unknown> | undefined {
  if (tls.boolean("enabled") !== true) {
    const unused = "not carried over, as TLS is not enabled";
    tls.without({ ca_certs: unused, certfile: unused, keyfile: unused, cert_reqs: unused, tls_version: unused });
    tls.without({ ciphers: unused, insecure: unused });
    tls.finish();
    return undefined;
  }
  const [ca, cert, key] = [pathOf(tls, "ca_certs"), pathOf(tls, "certfile"), pathOf(tls, "keyfile")];
  const always = "host name and chain of the broker's certificate are always verified: trust its CA with `mqtt.tls.ca`";
  if (tls.boolean("insecure") === true) tls.note(always, "insecure");
  if ((tls.text("cert_reqs") ?? "CERT_REQUIRED") !== "CERT_REQUIRED") tls.note(always, "cert_reqs");
  tls.without({
    tls_version: "1.2 or newer, as broker and client agree",
    ciphers: "those that Node.js takes for safe",
  });
  tls.finish();
  const isPair = (cert === undefined) === (key === undefined);
  if (!isPair) tls.note("a client certificate needs both its file and its key; it is left out", "certfile");
  return present({ ca, ...(isPair && { cert, key }) });
}

function pathOf(tls: Entry, key: string): string | undefined {
  const path = tls.text(key);
  if (path === undefined) return undefined;
  if (path.length > 4096 || /\p{Cc}/u.test(path)) {
    tls.note("no path; it is left out", key);
    return undefined;
  }
  if (!path.startsWith("/")) tls.note("looked up from the folder of our configuration", key);
  return path;
}
