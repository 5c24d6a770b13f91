/** Everything the broker bounds; each says what happens past it. */
export interface BrokerLimits {
  /** Unfinished QoS 2 publishes from one client: past it disconnected, 0x93. Stated in CONNACK. */
  readonly receiveMaximum: number;
  /** Of what a client may assign: past it disconnected, 0x94. Stated in CONNACK. A client is assigned as many at most. */
  readonly topicAliasMaximum: number;
  /** A larger packet is refused from its header, 0x95. Stated in CONNACK. */
  readonly packetBytes: number;
  /** A longer or absent keep alive of a 5.0 client is answered with this one. */
  readonly keepAliveS: number;
  /** A session asking for longer gets this. */
  readonly sessionExpiryS: number;
  /** Persistent sessions, connected or not: past it a new one is refused, 0x97. */
  readonly sessions: number;
  /** Unacknowledged to one client: what follows waits in its queue. */
  readonly inflightMessages: number;
  /** Waiting for one client: past it the newest is dropped; a client that makes no progress meanwhile goes, 0x97. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /**
   * All that waits for clients or for their acknowledgement, is retained, is subscribed or has come of unfinished
   * packets: past it each is treated as past its own limit, and who sends more of a large packet goes, 0x97.
   */
  readonly memoryBytes: number;
  /** How long a client whose queue overflows may make no progress. */
  readonly stallMs: number;
  /** Of one client: past it SUBACK says 0x97. */
  readonly subscriptions: number;
  /** Separators of a topic or filter: with more it ends the connection, a topic with 0x90, a filter with 0x81. */
  readonly topicLevels: number;
  /** Past these a new retained message is delivered but not kept, and refused with 0x97. */
  readonly retainedMessages: number;
  readonly retainedBytes: number;
  /** Messages a second from one client: past it disconnected, 0x96. Infinity for no limit. */
  readonly publishRate: number;
  /** From accepting a connection to its CONNECT: past it closed. */
  readonly connectTimeoutMs: number;
  /** Past these a connection is closed at once. */
  readonly connectionsPerAddress: number;
  readonly connectionsPerListener: number;
}

export const defaultLimits: BrokerLimits = {
  receiveMaximum: 20,
  topicAliasMaximum: 10,
  packetBytes: 2_000_000,
  keepAliveS: 65_535,
  sessionExpiryS: 30 * 24 * 3600,
  sessions: 2000,
  inflightMessages: 20,
  queuedMessages: 1000,
  queuedBytes: 10_000_000,
  memoryBytes: 256_000_000,
  stallMs: 5000,
  subscriptions: 1000,
  topicLevels: 200,
  retainedMessages: 100_000,
  retainedBytes: 64_000_000,
  publishRate: Number.POSITIVE_INFINITY,
  connectTimeoutMs: 10_000,
  connectionsPerAddress: 200,
  connectionsPerListener: 1000,
};
