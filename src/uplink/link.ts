import { GatewayError } from "../core/errors.ts";

/** Reason codes of MQTT 5 (§2.4) that decide what happens to a message. */
export const REASON = {
  success: 0x00,
  noMatchingSubscribers: 0x10,
  unspecified: 0x80,
  notAuthorized: 0x87,
  sessionTakenOver: 0x8e,
  topicNameInvalid: 0x90,
  receiveMaximumExceeded: 0x93,
  packetTooLarge: 0x95,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  payloadFormatInvalid: 0x99,
} as const;

export type Qos = 0 | 1 | 2;

/** A message on its way out. */
export interface Publication {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain?: boolean;
  /** Only MQTT 5 carries these. */
  readonly expirySeconds?: number;
  readonly correlationData?: Uint8Array;
  /** Tells messages on one topic apart, over several connections. Never on the wire. */
  readonly id?: number;
}

/** A message that came in. */
export interface Incoming {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** It was kept by the broker, not published just now. */
  readonly retained: boolean;
  readonly qos: Qos;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
}

/** One connection to a broker, from its CONNACK to its end. It is never reused. */
export interface Link {
  /** Without credentials. */
  readonly url: string;
  readonly protocol: Protocol;
  /** How many unacknowledged messages the broker takes; the link itself never exceeds it. */
  readonly receiveMaximum: number;
  /** Bytes; infinite where the broker names none. */
  readonly maximumPacketSize: number;
  readonly maximumQos: Qos;
  readonly retainAvailable: boolean;
  /**
   * Resolves with the reason code of the acknowledgement, also where it is a refusal (0x80 and above); a message that
   * is larger than the broker takes resolves with 0x95 and is not sent. QoS is lowered to what the broker knows.
   * Urgent messages overtake those that still wait for a place in the window; one that goes alone waits until all others
   * are acknowledged, and keeps them waiting. Rejects with BROKER_UNREACHABLE when the link ends first: the message may
   * or may not have arrived.
   */
  publish(message: Publication, urgent: boolean, alone?: boolean): Promise<number>;
  /**
   * As `publish`, not urgent, for the many: a promise for each would cost as much as the message. `answered` is called in
   * a later turn with the reason code, and not any more once the link has ended.
   */
  send(message: Publication, alone: boolean, answered: (code: number) => void): void;
  /** Rejects with BROKER_REFUSED when the broker refuses a filter, BROKER_UNREACHABLE when the link ends. */
  subscribe(filters: readonly string[], how?: SubscribeOptions): Promise<void>;
  unsubscribe(filters: readonly string[]): Promise<void>;
  /** Calls `listener` for each message, until the returned function is called. Listeners must not throw. */
  onMessage(listener: (message: Incoming) => void): () => void;
  /** Why it ended. Never rejects. */
  readonly closed: Promise<LinkEnd>;
  /** DISCONNECT (the broker then forgets the will), and the end of the connection whatever the broker does. */
  end(): Promise<void>;
  /** Drops the connection: the broker publishes the will. */
  abort(message: string): void;
}

export interface SubscribeOptions {
  /** 1 unless said otherwise; lowered to what the broker knows. */
  readonly qos?: Qos;
  /** Only MQTT 5 knows it. */
  readonly retainAsPublished?: boolean;
}

export type Protocol = "5" | "3.1.1";

export interface LinkEnd {
  readonly message: string;
  /** Reason code of the broker's DISCONNECT. */
  readonly code?: number;
  /** The broker's side ended it: neither we, nor a timeout. */
  readonly byBroker: boolean;
  /** Sent and not acknowledged when it ended, in the order of sending. */
  readonly unanswered?: readonly Publication[];
}

/** The end of a connection, for people. */
export function lostError(url: string, { message, code }: LinkEnd): GatewayError {
  const taken = code === REASON.sessionTakenOver ? ": another client uses our client id" : "";
  return new GatewayError("BROKER_UNREACHABLE", `${url}: ${message}${taken}`);
}

/** Why there is no connection. */
export interface Refusal {
  readonly kind: RefusalKind;
  readonly error: GatewayError;
}

/**
 * `protocol`: the broker does not speak this version. `silent`: it closed without a word, which is how some say the
 * same. `credentials`: who we are or what we may. `busy`: later. `tls`: its certificate. `unreachable`: the rest.
 */
export type RefusalKind = "protocol" | "silent" | "credentials" | "busy" | "tls" | "unreachable";
