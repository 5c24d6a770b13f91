import { type ErrorCode, errnoName, GatewayError } from "../../core/errors.ts";
import type { Refusal, RefusalKind } from "../link.ts";

/** CONNACK codes of 3.1.1 (§3.2.2.3) below 0x80, of MQTT 5 (§3.2.2.2) from there on. The rest is `credentials`. */
const CONNACK_KINDS: Readonly<Record<number, RefusalKind>> = {
  1: "protocol",
  3: "busy",
  132: "protocol",
  136: "busy",
  137: "busy",
  151: "busy",
  159: "busy",
};

const ERROR_CODES: Readonly<Record<RefusalKind, ErrorCode>> = {
  protocol: "BROKER_REFUSED",
  credentials: "BROKER_REFUSED",
  busy: "BROKER_REFUSED",
  tls: "BROKER_TLS",
  silent: "BROKER_UNREACHABLE",
  unreachable: "BROKER_UNREACHABLE",
};

/** OpenSSL's verification results and Node's own, by their beginnings. */
const TLS_CODES = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_|INVALID_CA|EPROTO)/;

/**
 * What an attempt to connect came to. `error`: what mqtt.js or the socket said first, nothing when the connection was
 * closed without a word; its `code` is the CONNACK's reason code, or the errno. `elsewhere`: the CONNACK's server
 * reference, which we show and do not follow: it would go past what TLS and the configuration say of whom to trust.
 */
export function refusalOf(url: string, error: Error | undefined, elsewhere?: string): Refusal {
  const kind = kindOf(error);
  const heard = error?.message || errnoName(error) || "it closed the connection without an answer";
  const said = elsewhere === undefined ? heard : `${heard}; it names another server: ${elsewhere}`;
  return { kind, error: new GatewayError(ERROR_CODES[kind], `no connection to ${url}: ${said}`, { cause: error }) };
}

function kindOf(error: (Error & { code?: unknown }) | undefined): RefusalKind {
  if (!error) return "silent";
  if (typeof error.code === "number") return CONNACK_KINDS[error.code] ?? "credentials";
  const errno = errnoName(error);
  if (errno === "ECONNRESET" || errno === "EPIPE" || error.message === "connack timeout") return "silent";
  return errno !== undefined && TLS_CODES.test(errno) ? "tls" : "unreachable";
}
