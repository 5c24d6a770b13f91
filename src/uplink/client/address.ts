import { GatewayError, messageOf } from "../../core/errors.ts";

/** Where a broker is, taken apart. `shown` carries no credentials and may go to logs and people. */
export type Address =
  | { readonly scheme: "unix"; readonly path: string; readonly shown: string }
  | {
      readonly scheme: "mqtt" | "mqtts" | "ws" | "wss";
      readonly host: string;
      readonly port: number;
      readonly path: string;
      readonly username?: string;
      readonly password?: string;
      readonly shown: string;
    };

const DEFAULT_PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 } as const;

/** `mqtt://host[:port]`, `mqtts://`, `ws://host/path`, `wss://` or `unix:/path/of/socket`. Throws CONFIG_INVALID. */
export function parseAddress(url: string): Address {
  if (url.startsWith("unix:")) {
    const path = url.slice("unix:".length).replace(/^\/\/(?=\/)/, "");
    return { scheme: "unix", path, shown: `unix:${path}` };
  }
  const parsed = parseUrl(url);
  const scheme = parsed.protocol.slice(0, -1);
  if (!isScheme(scheme)) {
    throw new GatewayError("CONFIG_INVALID", `${parsed.protocol} is none of mqtt, mqtts, ws, wss and unix`);
  }
  const port = parsed.port === "" ? DEFAULT_PORTS[scheme] : Number(parsed.port);
  const path = parsed.pathname === "" ? "/" : parsed.pathname;
  const shownPath = scheme.startsWith("ws") ? `${path}` : "";
  return {
    scheme,
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    path: `${path}${parsed.search}`,
    ...(parsed.username && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password && { password: decodeURIComponent(parsed.password) }),
    shown: `${scheme}://${parsed.hostname}:${port}${shownPath}`,
  };
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch (cause) {
    // The text itself stays out of the sentence: it may hold a password.
    throw new GatewayError("CONFIG_INVALID", `the broker's address is no URL: ${messageOf(cause)}`, { cause });
  }
}

function isScheme(text: string): text is keyof typeof DEFAULT_PORTS {
  return text in DEFAULT_PORTS;
}
