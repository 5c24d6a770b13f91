import { nearest } from "../suggest.ts";

const SCHEMES = ["mqtt", "mqtts", "ws", "wss"];
const OTHER_NAMES: Readonly<Record<string, string>> = {
  tcp: "mqtt",
  ssl: "mqtts",
  tls: "mqtts",
  http: "ws",
  https: "wss",
};

/** What is wrong with a broker's address; says nothing of its content, which may hold a password. */
export function brokerUrlProblem(value: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === undefined)
    return "expected a URL, such as mqtt://broker.local:1883 or mqtts://broker.example.org:8883";
  if (!SCHEMES.includes(scheme)) {
    const meant = OTHER_NAMES[scheme] ?? nearest(scheme, SCHEMES);
    return `expected mqtt, mqtts, ws or wss before \`://\`${meant ? `; did you mean \`${meant}://\`?` : ""}`;
  }
  if (!URL.canParse(value)) return "this is not a valid URL: check the host name and the port (1 to 65535)";
  const { username, password, hostname, hash } = new URL(value);
  if (username || password) {
    return "user name and password do not belong in the URL, which is logged: set `mqtt.username` and `mqtt.password: !secret NAME`";
  }
  if (hostname === "") return "the host name is missing after `://`";
  return hash ? "a broker's URL has no `#…`" : undefined;
}
