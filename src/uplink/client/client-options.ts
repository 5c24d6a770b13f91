import { Readable } from "node:stream";
import type { Address } from "./address.ts";
import { type ConnectOptions, credentialsOf, endpointOf } from "./connect-options.ts";
import { ClientIds } from "./packet-ids.ts";

/** Larger packets are not for us; the broker is told so, and mqtt.js drops the link of one that sends them. */
const INCOMING_MAX_BYTES = 256 * 1024;

/** In the words of mqtt.js: one connection, over which it keeps, repeats and queues nothing by itself. */
export function clientOptions(address: Address, options: ConnectOptions) {
  const { username, password } = credentialsOf(address, options);
  return {
    ...endpointOf(address, options.tls),
    clientId: options.clientId,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    protocolVersion: options.protocol === "5" ? (5 as const) : (4 as const),
    clean: options.sessionExpirySeconds === undefined,
    keepalive: Math.max(1, Math.round(options.keepAliveMs / 1000)),
    // A ping that our own messages put off would never find out that nothing comes back.
    reschedulePings: false,
    connectTimeout: options.connectTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    messageIdProvider: new ClientIds(),
    // No expiry: a will must outlast whoever reads it.
    ...(options.will && {
      will: { topic: options.will.topic, payload: Buffer.from(options.will.payload), qos: 1 as const, retain: true },
    }),
    ...(options.protocol === "5" && {
      properties: {
        maximumPacketSize: INCOMING_MAX_BYTES,
        ...(options.sessionExpirySeconds !== undefined && { sessionExpiryInterval: options.sessionExpirySeconds }),
      },
    }),
  };
}

/** mqtt.js replays its store before it says `connect`; this one has nothing to replay. */
export const nothingStored = {
  options: {},
  put: (packet: unknown, done: (error?: Error, packet?: unknown) => void) => done(undefined, packet),
  get: (_packet: unknown, done: (error?: Error) => void) => done(new Error("nothing is stored")),
  del: (packet: unknown, done: (error?: Error, packet?: unknown) => void) => done(undefined, packet),
  createStream: () => Readable.from([]),
  close: (done: () => void) => done(),
};
