import { isLoopback } from "../loopback.ts";
import { isMapping, mappingsAt, type Path, valueAt } from "../paths.ts";
import { absentAt, errorAt, type Finding } from "../problems.ts";

/** Rules between the keys of `mqtt`, `broker` and `web`: who may connect, and what TLS needs. */
export function networkFindings(tree: unknown): Finding[] {
  return [...mqttFindings(tree), ...brokerFindings(tree), ...webFindings(tree), ...historyFindings(tree)];
}

function mqttFindings(tree: unknown): Finding[] {
  const mqtt = valueAt(tree, ["mqtt"]);
  if (!isMapping(mqtt)) return [];
  const tls = isMapping(mqtt.tls) ? mqtt.tls : {};
  const urls = (Array.isArray(mqtt.url) ? mqtt.url : [mqtt.url]).filter((url) => typeof url === "string");
  const plain = urls.filter((url) => /^(mqtt|ws):\/\//.test(url) && !isLoopback(hostOf(url)));
  const findings: Finding[] = [];
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    findings.push(absentAt(["mqtt", "tls"], "`cert` and `key` belong together: set both or none", "key"));
  }
  if (Object.keys(tls).length > 0 && !urls.some((url) => /^(mqtts|wss):/.test(url))) {
    findings.push(warning(["mqtt", "tls"], "no `mqtt.url` begins with mqtts:// or wss://, so this is not used"));
  }
  if (mqtt.password !== undefined && plain.length > 0) {
    findings.push(warning(["mqtt", "password"], "the password goes over the network unencrypted: use mqtts://"));
  }
  return findings;
}

function historyFindings(tree: unknown): Finding[] {
  const history = valueAt(tree, ["home_assistant", "history"]);
  if (!isMapping(history)) return [];
  const at: Path = ["home_assistant", "history"];
  const { url } = history;
  const publish = valueAt(tree, ["mqtt", "publish"]);
  if (Array.isArray(publish) && !publish.includes("readings"))
    return [warning(at, "nothing is filled without `readings` in `mqtt.publish`")];
  if (typeof url === "string" && url.startsWith("http:") && !isLoopback(hostOf(url)))
    return [warning([...at, "url"], "the token goes over the network unencrypted: use https:// where you can")];
  return [];
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "";
}

function brokerFindings(tree: unknown): Finding[] {
  const listeners = mappingsAt(tree, ["broker", "listeners"]);
  const commonPasswords = valueAt(tree, ["broker", "password_file"]) !== undefined;
  return [...sameEndpoint(listeners), ...listeners.flatMap((listener) => listenerFindings(listener, commonPasswords))];
}

interface Listener {
  readonly path: Path;
  readonly value: Record<string, unknown>;
}

function sameEndpoint(listeners: readonly Listener[]): Finding[] {
  const seen = new Set<string>();
  return listeners.flatMap(({ path, value }) => {
    const port = value.port ?? (value.tls === undefined ? 1883 : 8883);
    const endpoint = value.path ?? `${value.address ?? "127.0.0.1"}:${port}`;
    const key = String(endpoint);
    const taken = value.port !== 0 && seen.has(key);
    seen.add(key);
    return taken ? [errorAt(path, "another listener has this address and port already")] : [];
  });
}

function listenerFindings(listener: Listener, commonPasswords: boolean): Finding[] {
  return [...mountPointFindings(listener), ...endpointFindings(listener, commonPasswords)];
}

function mountPointFindings({ path, value: { mount_point: mountPoint } }: Listener): Finding[] {
  if (typeof mountPoint !== "string" || mountPoint === "" || mountPoint.endsWith("/")) return [];
  const message = "without `/` at its end no filter that begins with a wildcard is possible, such as `#`";
  return [warning([...path, "mount_point"], message)];
}

function endpointFindings({ path, value }: Listener, commonPasswords: boolean): Finding[] {
  if (value.path !== undefined) {
    if (value.proxy_protocol === true)
      return [errorAt([...path, "proxy_protocol"], "a Unix socket has no addresses that a proxy could tell", "key")];
    const other = ["address", "port"].find((key) => value[key] !== undefined);
    return other
      ? [errorAt([...path, other], "a listener has either `path` (a Unix socket) or `address` and `port`", "key")]
      : [];
  }
  return [...certificateFindings(path, value.tls), ...openListener(path, value, commonPasswords)];
}

function certificateFindings(path: Path, tls: unknown): Finding[] {
  if (!isMapping(tls) || tls.ca !== undefined) return [];
  const needsCa = ["require_certificate", "crl", "identity_as_username", "subject_as_username"].find(
    (key) => tls[key] !== undefined && tls[key] !== false,
  );
  return needsCa
    ? [
        absentAt(
          [...path, "tls", needsCa],
          "this needs `ca`: the certificates that clients' certificates descend from",
          "key",
        ),
      ]
    : [];
}

/** Beyond loopback: authentication, and TLS, or `insecure: true`. */
function openListener(path: Path, value: Record<string, unknown>, commonPasswords: boolean): Finding[] {
  if (typeof value.address !== "string" || isLoopback(value.address) || value.insecure === true) return [];
  const tls = isMapping(value.tls) ? value.tls : undefined;
  const hasPasswords = commonPasswords || value.password_file !== undefined;
  const findings: Finding[] = [];
  if (!(hasPasswords || tls?.require_certificate === true) || value.allow_anonymous === true) {
    findings.push(
      absentAt(
        [...path, "address"],
        "beyond loopback clients must say who they are: set `password_file`, or `tls` with `require_certificate`, or else `insecure: true`",
      ),
    );
  } else if (!tls) {
    findings.push(
      absentAt([...path, "address"], "beyond loopback passwords need TLS: set `tls`, or else `insecure: true`"),
    );
  }
  return findings;
}

function webFindings(tree: unknown): Finding[] {
  const web = valueAt(tree, ["web"]);
  if (!isMapping(web) || web.enabled === false || typeof web.address !== "string") return [];
  if (isLoopback(web.address) || web.password !== undefined) return [];
  return [
    absentAt(["web", "address"], "beyond loopback the dashboard needs `password`: `password: !secret web_password`"),
  ];
}

function warning(path: Path, message: string): Finding {
  return { severity: "warning", message, at: { path, part: "key" } };
}
