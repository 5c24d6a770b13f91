import { REASON } from "../link.ts";

/**
 * What a PUBACK's reason code (MQTT 5 §3.4.2.1) means for the message. `delivered`: the broker has it. `refused`: this
 * message will never be taken. `forbidden`: not now, and by its topic. `later`: the broker cannot take it at the moment
 * (quota, internal errors, whatever newer brokers may say).
 */
export type Verdict = "delivered" | "refused" | "forbidden" | "later";

export function verdictOf(code: number): Verdict {
  if (code < REASON.unspecified) return "delivered";
  if (code === REASON.notAuthorized) return "forbidden";
  return refusedForGood(code) ? "refused" : "later";
}

/** It lies in the message, so trying again cannot help. Also the reasons of a DISCONNECT that a message can cause. */
export function refusedForGood(code: number | undefined): boolean {
  return code === REASON.topicNameInvalid || code === REASON.packetTooLarge || code === REASON.payloadFormatInvalid;
}

/** Malformed packet, protocol error, retain and QoS not supported: with the above, what a message can be blamed for. */
const BLAMED_ON_MESSAGES: ReadonlySet<number> = new Set([0x81, 0x82, 0x9a, 0x9b]);

/** Could a message have made the broker end the connection? Without a reason it could; quota or shutdown is not its doing. */
export function canBeTheMessage(disconnectCode: number | undefined): boolean {
  return disconnectCode === undefined || refusedForGood(disconnectCode) || BLAMED_ON_MESSAGES.has(disconnectCode);
}

/** The drop reason as it is counted and shown. */
export function dropReason(code: number): string {
  switch (code) {
    case REASON.packetTooLarge:
      return "too_large";
    case REASON.topicNameInvalid:
      return "topic_refused";
    case REASON.payloadFormatInvalid:
      return "payload_refused";
    case REASON.notAuthorized:
      return "not_authorized";
    default:
      return `refused_0x${code.toString(16).padStart(2, "0")}`;
  }
}
