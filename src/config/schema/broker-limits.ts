import { z } from "zod";
import { count, duration, rate, size } from "./scalars.ts";

const KIB = 1024;
const MANY = 10_000_000;

/** Everything in the broker has a limit; each says what it bounds. */
export const brokerLimits = z
  .strictObject({
    receive_maximum: count(1, 65535).default(20).describe("QoS 1 and 2 messages a client may have under way to us"),
    topic_alias_maximum: count(0, 65535).default(10).describe("Topic aliases of one connection, each way"),
    packet_size: size({ minBytes: 20, maxBytes: 268_435_460 }).prefault("2MB").describe("Largest packet taken"),
    keep_alive: duration({ minMs: 1000, maxMs: 65_535_000 })
      .prefault("65535s")
      .describe("Longest keep alive; MQTT 5 clients that ask for more are told so"),
    session_expiry: duration({ minMs: 1000, maxMs: 0xffff_ffff * 1000 })
      .prefault("30d")
      .describe("Longest a session outlives its connection, at most MQTT's 4294967295s"),
    sessions: count(1, MANY).default(2000).describe("Persistent sessions, connected or not"),
    inflight_messages: count(1, 65535).default(20).describe("QoS 1 and 2 messages under way to one client"),
    queued_messages: count(0, MANY).default(1000).describe("Messages waiting for one client, offline or slow"),
    queued_bytes: size().prefault("10MB").describe("The same in bytes"),
    subscriptions: count(1, MANY).default(1000).describe("Subscriptions of one client"),
    topic_levels: count(1, 65535).default(200).describe("Levels of a topic"),
    retained_messages: count(0, MANY).default(100_000).describe("Retained messages"),
    retained_bytes: size().prefault("64MB").describe("The same in bytes"),
    memory: size({ minBytes: 16 * KIB * KIB })
      .prefault("256MB")
      .describe("What the broker holds in memory at most"),
    connect_timeout: duration({ minMs: 100, maxMs: 3_600_000 })
      .prefault("10s")
      .describe("Time for TLS, handshake and CONNECT"),
    connections_per_address: count(1, MANY).default(200).describe("Connections from one address"),
    publish_rate: rate().prefault("unlimited").describe("Messages a second of one client, or `unlimited`"),
  })
  .transform((limits) => ({
    receiveMaximum: limits.receive_maximum,
    topicAliasMaximum: limits.topic_alias_maximum,
    packetBytes: limits.packet_size,
    keepAliveMs: limits.keep_alive,
    sessionExpiryMs: limits.session_expiry,
    sessions: limits.sessions,
    inflightMessages: limits.inflight_messages,
    queuedMessages: limits.queued_messages,
    queuedBytes: limits.queued_bytes,
    subscriptions: limits.subscriptions,
    topicLevels: limits.topic_levels,
    retainedMessages: limits.retained_messages,
    retainedBytes: limits.retained_bytes,
    memoryBytes: limits.memory,
    connectTimeoutMs: limits.connect_timeout,
    connectionsPerAddress: limits.connections_per_address,
    publishRate: limits.publish_rate,
  }))
  .prefault({})
  .describe("What the broker bounds");
