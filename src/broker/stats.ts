import type { ErrorCode } from "../core/errors.ts";
import { type Door, doors } from "./door.ts";

/** Counts since the broker opened, but for the gauges. */
export interface BrokerStats {
  /** Gauges. */
  clients: number;
  sessions: number;
  subscriptions: number;
  /** Of which shared. */
  sharedSubscriptions: number;
  retainedMessages: number;
  retainedBytes: number;
  /** Waiting for all clients together; what several wait for counts for each. */
  queuedMessages: number;
  queuedBytes: number;
  /** Sent and not acknowledged yet; what several have not acknowledged counts once. */
  inflightBytes: number;
  /** Packets of which only the beginning has come. */
  receivingBytes: number;
  /** What subscriptions take, about. */
  subscriptionBytes: number;

  connections: number;
  /** CONNECTs that were accepted. */
  connects: number;
  refusedConnections: number;
  /** Of which, by why. */
  readonly refusedAt: Record<Door, number>;
  bytesReceived: number;
  bytesSent: number;
  packetsReceived: number;
  packetsSent: number;
  publishBytesReceived: number;
  publishBytesSent: number;
  publishesReceived: number;
  publishesSent: number;
  /** What clients were refused or disconnected with in CONNACK, PUBACK, PUBREC, SUBACK or DISCONNECT, by its MQTT 5.0 reason code in hex. */
  readonly refusals: Record<string, number>;
  /** Why nothing new is made safe: the disk refuses it, or its worker died. A code of `GatewayError`. */
  persistenceFault: ErrorCode | undefined;
  /** Deliveries that were not made, by why. */
  readonly dropped: Record<DropReason, number>;
}

/**
 * `slow`: QoS 0 to a client that does not read. `queueFull`: QoS 1 and 2 past a client's queue. `tooLarge`: for the
 * client's maximum packet size. `expired`: its message expiry passed while it waited. `denied`: not authorised.
 */
export type DropReason = "slow" | "queueFull" | "tooLarge" | "expired" | "denied";

export function newStats(): BrokerStats {
  return {
    clients: 0,
    sessions: 0,
    subscriptions: 0,
    sharedSubscriptions: 0,
    retainedMessages: 0,
    retainedBytes: 0,
    queuedMessages: 0,
    queuedBytes: 0,
    inflightBytes: 0,
    receivingBytes: 0,
    subscriptionBytes: 0,
    connections: 0,
    connects: 0,
    refusedConnections: 0,
    refusedAt: Object.fromEntries(doors.map((door) => [door, 0])) as Record<Door, number>,
    bytesReceived: 0,
    bytesSent: 0,
    packetsReceived: 0,
    packetsSent: 0,
    publishBytesReceived: 0,
    publishBytesSent: 0,
    publishesReceived: 0,
    publishesSent: 0,
    refusals: {},
    persistenceFault: undefined,
    dropped: { slow: 0, queueFull: 0, tooLarge: 0, expired: 0, denied: 0 },
  };
}

/** What `limits.memoryBytes` bounds. */
export function heldBytes(stats: BrokerStats): number {
  const { queuedBytes, inflightBytes, retainedBytes, receivingBytes, subscriptionBytes } = stats;
  return queuedBytes + inflightBytes + retainedBytes + receivingBytes + subscriptionBytes;
}

export function countRefusal({ refusals }: BrokerStats, code: number): void {
  const key = `0x${code.toString(16).padStart(2, "0")}`;
  refusals[key] = (refusals[key] ?? 0) + 1;
}

export function countRejection(stats: BrokerStats, door: Door): void {
  stats.refusedConnections++;
  stats.refusedAt[door]++;
}
