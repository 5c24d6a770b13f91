import { createSecureContext } from "node:tls";
import { messageOf } from "../../core/errors.ts";
import type { Incoming, Protocol } from "../link.ts";
import type { Address } from "./address.ts";
import { systemRoots } from "./system-roots.ts";

/** A password that does not show itself in a log. */
export interface Secret {
  reveal(): string;
}

/** PEM texts. What is absent is the system's. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ConnectOptions {
  readonly url: string;
  readonly protocol: Protocol;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string | Secret;
  readonly tls?: ClientTls;
  readonly keepAliveMs: number;
  readonly connectTimeoutMs: number;
  /** Without an acknowledgement for so long the link is dropped. mqtt.js waits for ever. */
  readonly ackTimeoutMs: number;
  /** Absent for a connection that speaks for a command, not for the gateway. */
  readonly will?: { readonly topic: string; readonly payload: string };
  /** Absent: the session ends with the connection. Else the broker keeps it, with what comes meanwhile, so long (MQTT 5). */
  readonly sessionExpirySeconds?: number;
  /** Hears messages from the very first on, which `Link.onMessage` may be too late for. Must not throw. */
  readonly onMessage?: (message: Incoming) => void;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** The options go before what the address says. */
export function credentialsOf(address: Address, options: ConnectOptions): Credentials {
  const inUrl: Credentials = address.scheme === "unix" ? {} : address;
  const username = options.username ?? inUrl.username;
  const password = typeof options.password === "object" ? options.password.reveal() : options.password;
  const secret = password ?? inUrl.password;
  return { ...(username !== undefined && { username }), ...(secret !== undefined && { password: secret }) };
}

/** Why this certificate and key cannot be used. Node throws it in the middle of connecting, where nobody can catch it. */
export function unusableTls({ scheme }: Address, tls: ClientTls | undefined): Error | undefined {
  if (!tls || (scheme !== "mqtts" && scheme !== "wss")) return undefined;
  try {
    createSecureContext(tls);
    return undefined;
  } catch (cause) {
    const message = `the certificate and key of mqtt.tls cannot be used (${messageOf(cause)})`;
    return Object.assign(new Error(message, { cause }), { code: "ERR_TLS_CREDENTIALS" });
  }
}

/** Where to connect to and how, in the words of mqtt.js. */
interface Endpoint extends ClientTls {
  readonly protocol: "mqtt" | "mqtts" | "ws" | "wss";
  readonly unixSocket?: boolean;
  readonly host?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
  readonly rejectUnauthorized?: boolean;
}

export function endpointOf(address: Address, tls: ClientTls | undefined): Endpoint {
  if (address.scheme === "unix") return { protocol: "mqtt", unixSocket: true, path: address.path };
  const { scheme, host, port, path } = address;
  // With a certificate mqtt.js would turn plain mqtt into mqtts, so TLS options go where TLS was asked for.
  const plain: Endpoint = { protocol: scheme, host, hostname: host, port, path };
  if (scheme !== "mqtts" && scheme !== "wss") return plain;
  const ca = tls?.ca ?? systemRoots();
  return { ...plain, ...tls, ...(ca !== undefined && { ca }), rejectUnauthorized: true };
}
