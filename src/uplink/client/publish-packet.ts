import type { Protocol, Publication, Qos } from "../link.ts";

/** How long the parts of a PUBLISH packet are (MQTT 5 §3.3), in bytes. */
export interface PublishLayout {
  readonly protocol: Protocol;
  readonly qos: Qos;
  readonly topic: number;
  readonly properties: number;
  readonly payload: number;
  /** Everything after the fixed header. */
  readonly body: number;
  readonly whole: number;
}

const PUBLISH = 0x30;
const RETAIN = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const CORRELATION_DATA = 0x09;

export function layoutOf(message: Publication, qos: Qos, protocol: Protocol): PublishLayout {
  const topic = Buffer.byteLength(message.topic);
  const properties = protocol === "5" ? propertiesSize(message) : 0;
  const payload = Buffer.byteLength(message.payload);
  const head = 2 + topic + (qos > 0 ? 2 : 0) + (protocol === "5" ? lengthSize(properties) + properties : 0);
  const body = head + payload;
  return { protocol, qos, topic, properties, payload, body, whole: 1 + lengthSize(body) + body };
}

/** Writes the packet into `target`, where `layout.whole` bytes are free from `at` on. */
export function writePublish(
  target: Buffer,
  start: number,
  layout: PublishLayout,
  { topic, payload, expirySeconds, correlationData }: Publication,
  retain: boolean,
  packetId: number,
): void {
  let at = start;
  target[at++] = PUBLISH | (layout.qos << 1) | (retain ? RETAIN : 0);
  at = writeLength(target, at, layout.body);
  at = target.writeUInt16BE(layout.topic, at);
  at += writeText(target, at, topic, layout.topic);
  if (layout.qos > 0) at = target.writeUInt16BE(packetId, at);
  if (layout.protocol === "5") {
    at = writeLength(target, at, layout.properties);
    if (expirySeconds !== undefined) {
      target[at++] = MESSAGE_EXPIRY_INTERVAL;
      at = target.writeUInt32BE(expirySeconds, at);
    }
    if (correlationData) {
      target[at++] = CORRELATION_DATA;
      at = target.writeUInt16BE(correlationData.length, at);
      target.set(correlationData, at);
      at += correlationData.length;
    }
  }
  writeText(target, at, payload, layout.payload);
}

function propertiesSize({ expirySeconds, correlationData }: Publication): number {
  return (expirySeconds === undefined ? 0 : 5) + (correlationData ? 3 + correlationData.length : 0);
}

/** Bytes of a variable byte integer of seven bits a byte (§1.5.5). */
function lengthSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x200000 ? 3 : 4;
}

function writeLength(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}

/** Where there are as many bytes as characters it is ASCII, which is copied as it is. */
function writeText(target: Buffer, at: number, text: string, bytes: number): number {
  return target.write(text, at, bytes, text.length === bytes ? "latin1" : "utf8");
}
