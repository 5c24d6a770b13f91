import { frame, type Reader, Writer } from "./bytes.ts";
import type { ConnackPacket, ConnectPacket, Qos, Version, WillMessage } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { malformed, ProtocolFault, protocolError, reason, unanswered } from "./reasons.ts";
import { isTopicName } from "./topic-rules.ts";
import { decodeUtf8 } from "./utf8.ts";

/** CONNECT of a version that is not spoken here. */
export class UnknownVersion extends ProtocolFault {
  readonly answerVersion: Version;

  /** Levels 3 and 4 understand the answer of 3.1.1, also with the bit of Mosquitto's bridges; others get that of 5.0. */
  constructor(name: string, level: number) {
    super(reason.unsupportedProtocolVersion, `protocol ${JSON.stringify(name)} level ${level} is not supported`);
    this.answerVersion = [3, 4].includes(level & 0x7f) ? 4 : 5;
  }
}

const flag = { cleanStart: 0x02, will: 0x04, willRetain: 0x20, password: 0x40, username: 0x80 } as const;

export function decodeConnect(first: number, reader: Reader): ConnectPacket {
  const level = readLevel(reader);
  const version = level === 5 ? 5 : 4;
  const flags = reader.u8();
  if (level !== 3) checkReserved(first, flags);
  checkFlags(flags, version);
  const keepAliveS = reader.u16();
  const properties = version === 5 ? readProperties(reader, "connect") : {};
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined)
    throw protocolError("authentication data without a method");
  const clientId = readClientId(reader, version);
  const will = flags & flag.will ? readWill(reader, flags, version) : undefined;
  const credentials = readCredentials(reader, flags);
  reader.expectEnd();
  return {
    type: "connect",
    version,
    ...(level === 3 && { isMqtt31: true }),
    cleanStart: (flags & flag.cleanStart) !== 0,
    keepAliveS,
    clientId,
    properties,
    ...(will && { will }),
    ...credentials,
  };
}

/** [MQTT-3.1.2-1] and [MQTT-3.1.2-2]; `MQIsdp` is the name that MQTT 3.1 goes by. */
function readLevel(reader: Reader): Version | 3 {
  const name = reader.string();
  const level = reader.u8();
  if (name === "MQTT" && (level === 4 || level === 5)) return level;
  if (name === "MQIsdp" && level === 3) return level;
  if (name === "MQTT" || name === "MQIsdp") throw new UnknownVersion(name, level);
  throw malformed("the protocol name is not MQTT");
}

/** [MQTT-2.1.3-1] and [MQTT-3.1.2-3]; MQTT 3.1 did not say what the reserved bits are. */
function checkReserved(first: number, flags: number): void {
  if (first & 0x0f) throw unanswered("the reserved bits of CONNECT's first byte are set");
  if (flags & 0x01) throw malformed("the reserved flag of CONNECT is set");
}

/** 3.1.2.3 and following; 3.1.1 wants a user name with every password [MQTT-3.1.2-22]. */
function checkFlags(flags: number, version: Version): void {
  const willQos = (flags >> 3) & 3;
  if (willQos === 3) throw malformed("will QoS 3"); // [MQTT-3.1.2-12]
  if (!(flags & flag.will) && (willQos !== 0 || flags & flag.willRetain))
    throw malformed("will QoS or will retain without a will"); // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  if (version === 4 && flags & flag.password && !(flags & flag.username))
    throw malformed("a password without a user name");
}

function readClientId(reader: Reader, version: Version): string {
  if (version === 4) return reader.string();
  return readString(
    reader,
    (message) => new ProtocolFault(reason.clientIdentifierNotValid, `the client id: ${message}`),
  );
}

/** Nothing is said to who does not say right who it is. */
function readCredentials(reader: Reader, flags: number): Pick<ConnectPacket, "username" | "password"> {
  const read = () => ({
    ...(flags & flag.username && { username: reader.string() }),
    ...(flags & flag.password && { password: reader.binary() }),
  });
  return explaining(read, (message) => unanswered(`user name or password: ${message}`));
}

/** A string that is whole, but none of MQTT's, is another fault. */
function readString(reader: Reader, faultOf: (message: string) => ProtocolFault): string {
  const bytes = reader.binary();
  return explaining(() => decodeUtf8(bytes, 0, bytes.length), faultOf);
}

/** Reads; what is malformed is another fault. */
function explaining<T>(read: () => T, faultOf: (message: string) => ProtocolFault): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ProtocolFault ? faultOf(error.message) : error;
  }
}

function readWill(reader: Reader, flags: number, version: Version): WillMessage {
  const properties = version === 5 ? readProperties(reader, "will") : {};
  const topic = readString(reader, (message) => unanswered(`the will's topic: ${message}`));
  if (!isTopicName(topic)) throw malformed("the will's topic is not a topic name");
  return {
    topic,
    payload: reader.binary(),
    qos: ((flags >> 3) & 3) as Qos,
    retain: (flags & flag.willRetain) !== 0,
    properties,
  };
}

export function encodeConnect(packet: ConnectPacket): Buffer {
  const body = new Writer();
  body.string(packet.isMqtt31 ? "MQIsdp" : "MQTT");
  body.u8(packet.isMqtt31 ? 3 : packet.version);
  body.u8(flagsOf(packet));
  body.u16(packet.keepAliveS);
  if (packet.version === 5) writeProperties(body, packet.properties);
  body.string(packet.clientId);
  if (packet.will) writeWill(body, packet.will, packet.version);
  if (packet.username !== undefined) body.string(packet.username);
  if (packet.password !== undefined) body.binary(packet.password);
  return frame(0x10, body);
}

function flagsOf({ cleanStart, will, username, password }: ConnectPacket): number {
  return (
    (cleanStart ? flag.cleanStart : 0) |
    (will ? flag.will | (will.qos << 3) : 0) |
    (will?.retain ? flag.willRetain : 0) |
    (password === undefined ? 0 : flag.password) |
    (username === undefined ? 0 : flag.username)
  );
}

function writeWill(body: Writer, will: WillMessage, version: Version): void {
  if (version === 5) writeProperties(body, will.properties);
  body.string(will.topic);
  body.binary(will.payload);
}

export function decodeConnack(reader: Reader, version: Version): ConnackPacket {
  const flags = reader.u8();
  if (flags > 1) throw malformed("reserved flags of CONNACK are set"); // [MQTT-3.2.2-1]
  const code = reader.u8();
  const properties = version === 5 ? readProperties(reader, "connack") : {};
  reader.expectEnd();
  return { type: "connack", sessionPresent: flags === 1, reason: code, properties };
}

export function encodeConnack(packet: ConnackPacket, version: Version): Buffer {
  const body = new Writer();
  body.u8(packet.sessionPresent ? 1 : 0);
  body.u8(packet.reason);
  if (version === 5) writeProperties(body, packet.properties);
  return frame(0x20, body);
}
