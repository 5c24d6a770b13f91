import { reason } from "./codec/reasons.ts";

/**
 * Why a connection did not become a client. `listener_full`, `address_full`: over its limit. `tls`: the handshake or the
 * certificate. `websocket`: without the subprotocol. `origin`: a page of another site. `protocol`: what it sent is not a CONNECT that is
 * understood. `auth`: wrong or no credentials. `slowed`: its address guesses. `busy`: too many passwords are being checked.
 * `no_room`: no session or no memory is left. `disk`: the disk refuses a session. `client_id`: not free, or not valid.
 * `timeout`: no CONNECT in time. `gone`: it went before it was answered.
 */
export type Door = (typeof doors)[number];

export const doors = [
  "listener_full",
  "address_full",
  "proxy_header",
  "tls",
  "websocket",
  "origin",
  "protocol",
  "auth",
  "slowed",
  "busy",
  "no_room",
  "disk",
  "client_id",
  "timeout",
  "gone",
] as const;

/** Why a connection is not let in, for the counters and for the log. */
export interface Rejection {
  readonly door: Door;
  readonly why: string;
}

/** By the reason code that the client is refused with. */
export function doorOf(code: number): Door {
  return byCode.get(code) ?? "protocol";
}

const byCode = new Map<number, Door>([
  [reason.notAuthorized, "auth"],
  [reason.badUserNameOrPassword, "auth"],
  [reason.badAuthenticationMethod, "auth"],
  [reason.connectionRateExceeded, "slowed"],
  [reason.serverBusy, "busy"],
  [reason.quotaExceeded, "no_room"],
  [reason.clientIdentifierNotValid, "client_id"],
  [reason.serverShuttingDown, "gone"],
]);
