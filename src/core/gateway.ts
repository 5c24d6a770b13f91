/** The gateway as it presents itself: in `info`, in discovery and in `status`. */
export interface GatewayInfo {
  readonly id: string;
  readonly name: string;
  readonly area?: string;
  /** Stable per installation: tells two installations under one gateway id apart. */
  readonly instance: string;
  readonly version: string;
  readonly host: string;
  /** Board model, `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly model?: string;
  readonly kernel: string;
  readonly broker: "bundled" | "external";
  readonly epoch: number;
  /** How often it was started, since the store began. */
  readonly starts?: number;
}

/** What happened to readings since the store began: `sampled = delivered + pending + dropped` at all times. */
export interface Counters {
  readonly sampled: number;
  readonly delivered: number;
  /** Delivered, but the broker said that nobody was subscribed (PUBACK 0x10). */
  readonly unheard: number;
  readonly pending: number;
  /** Reason -> readings. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** What the bundled broker holds, and since its start dropped and refused. Keys are as in the MQTT payloads. */
export interface BrokerFacts {
  /** The gateway itself among them. */
  readonly clients: number;
  /** With a client or waiting for it. */
  readonly sessions: number;
  readonly subscriptions: number;
  readonly retained: { readonly messages: number; readonly bytes: number };
  /** Waiting for clients that are away or slow. */
  readonly queued: { readonly messages: number; readonly bytes: number };
  /** Reason -> deliveries. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Reason -> connections that did not become a client. */
  readonly refused_connections: Readonly<Record<string, number>>;
  /** MQTT reason code -> how often clients were answered or disconnected with it. */
  readonly refusals: Readonly<Record<string, number>>;
}
