import type { Properties } from "./properties.ts";

/** 4 is MQTT 3.1.1, 5 is MQTT 5.0: the protocol level of CONNECT. */
export type Version = 4 | 5;

export type Qos = 0 | 1 | 2;

/** The control packet type, the upper half of the first byte (table 2-1). */
export const packetType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

export interface ConnectPacket {
  readonly type: "connect";
  readonly version: Version;
  /** MQTT 3.1, which is served as 3.1.1 but for a few answers. */
  readonly isMqtt31?: true;
  readonly cleanStart: boolean;
  readonly keepAliveS: number;
  readonly clientId: string;
  readonly will?: WillMessage;
  readonly username?: string;
  readonly password?: Buffer;
  readonly properties: Properties;
}

export interface WillMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface ConnackPacket {
  readonly type: "connack";
  readonly sessionPresent: boolean;
  /** In 3.1.1 the return code of that version. */
  readonly reason: number;
  readonly properties: Properties;
}

export interface PublishPacket {
  readonly type: "publish";
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 with QoS 0. */
  readonly packetId: number;
  readonly properties: Properties;
}

export type AckType = "puback" | "pubrec" | "pubrel" | "pubcomp";

export interface AckPacket {
  readonly type: AckType;
  readonly packetId: number;
  readonly reason: number;
  readonly properties: Properties;
}

export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 send retained messages, 1 only for a new subscription, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  readonly type: "subscribe";
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties;
}

export interface SubackPacket {
  readonly type: "suback";
  readonly packetId: number;
  readonly reasons: readonly number[];
  readonly properties: Properties;
}

export interface UnsubscribePacket {
  readonly type: "unsubscribe";
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: Properties;
}

export interface UnsubackPacket {
  readonly type: "unsuback";
  readonly packetId: number;
  /** Empty in 3.1.1. */
  readonly reasons: readonly number[];
  readonly properties: Properties;
}

export interface PingPacket {
  readonly type: "pingreq" | "pingresp";
}

export interface DisconnectPacket {
  readonly type: "disconnect";
  readonly reason: number;
  readonly properties: Properties;
}

export interface AuthPacket {
  readonly type: "auth";
  readonly reason: number;
  readonly properties: Properties;
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingPacket
  | DisconnectPacket
  | AuthPacket;
