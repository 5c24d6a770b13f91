import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** One MQTT packet as it came: `type` is the upper half of the first byte, `body` what follows the length. */
export interface Packet {
  readonly type: number;
  readonly body: Buffer;
  /** All bytes of it, the header included. */
  readonly size: number;
}

export const CONNECT = 1;
export const PUBLISH = 3;
export const SUBSCRIBE = 8;
export const UNSUBSCRIBE = 10;

export interface ScriptedBroker extends AsyncDisposable {
  readonly url: string;
  readonly packets: readonly (Packet & { readonly connection: number })[];
  /** How many connections there were. */
  connections(): number;
}

export type Script = (packet: Packet, socket: Socket, connection: number) => void;

/** A broker that does what brokers should not: the script answers each packet by hand, or does not. */
export async function scriptedBroker(script: Script): Promise<ScriptedBroker> {
  const packets: (Packet & { connection: number })[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    let buffered: Buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      for (let packet = firstPacket(buffered); packet; packet = firstPacket(buffered)) {
        buffered = buffered.subarray(packet.size);
        packets.push({ ...packet, connection });
        script(packet, socket, connection);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `mqtt://127.0.0.1:${address.port}`,
    packets,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function firstPacket(bytes: Buffer): Packet | undefined {
  let length = 0;
  for (let index = 1; index < Math.min(bytes.length, 5); index++) {
    const byte = bytes[index] ?? 0;
    length += (byte & 0x7f) << (7 * (index - 1));
    if (byte & 0x80) continue;
    const size = index + 1 + length;
    if (bytes.length < size) return undefined;
    return { type: (bytes[0] ?? 0) >> 4, body: bytes.subarray(index + 1, size), size };
  }
  return undefined;
}

/** The protocol level of a CONNECT: 4 is 3.1.1, 5 is 5. */
export function protocolLevel({ body }: Packet): number {
  return body[6] ?? 0;
}

/** Topic, packet id and payload of an MQTT 5 PUBLISH at QoS 1 whose properties are shorter than 128 bytes. */
export function published({ body }: Packet): { topic: string; id: number; payload: string } {
  const end = 2 + body.readUInt16BE(0);
  const properties = body[end + 2] ?? 0;
  return {
    topic: body.subarray(2, end).toString(),
    id: body.readUInt16BE(end),
    payload: body.subarray(end + 3 + properties).toString(),
  };
}

const id = (value: number) => [value >> 8, value & 0xff];

/** MQTT 5 answers, byte by byte. */
export const answers = {
  connack: (code = 0) => Buffer.from([0x20, 3, 0, code, 0]),
  puback: (packetId: number, code = 0) => Buffer.from([0x40, 4, ...id(packetId), code, 0]),
  suback: (packetId: number, filters: number) =>
    Buffer.from([0x90, 3 + filters, ...id(packetId), 0, ...Array.from({ length: filters }, () => 1)]),
  unsuback: (packetId: number, filters: number) =>
    Buffer.from([0xb0, 3 + filters, ...id(packetId), 0, ...Array.from({ length: filters }, () => 0)]),
  disconnect: (code: number) => Buffer.from([0xe0, 2, code, 0]),
};

/** A broker that takes everything, sends back what is published to `…/response/…`, and leaves readings to `onReading`. */
export function polite(
  onReading: (reading: ReturnType<typeof published>, socket: Socket, connection: number) => void,
): Script {
  return (packet, socket, connection) => {
    switch (packet.type) {
      case CONNECT:
        socket.write(answers.connack());
        return;
      case SUBSCRIBE:
        socket.write(answers.suback(packet.body.readUInt16BE(0), filtersIn(packet)));
        return;
      case UNSUBSCRIBE:
        socket.write(answers.unsuback(packet.body.readUInt16BE(0), filtersIn(packet)));
        return;
      case PUBLISH: {
        const message = published(packet);
        if (message.topic.endsWith("/readings")) return onReading(message, socket, connection);
        socket.write(answers.puback(message.id));
        if (message.topic.includes("/response/")) socket.write(echo(message.topic));
        return;
      }
    }
  };
}

function filtersIn({ type, body }: Packet): number {
  let count = 0;
  for (let at = 3; at < body.length; count++) at += 2 + body.readUInt16BE(at) + (type === SUBSCRIBE ? 1 : 0);
  return count;
}

function echo(topic: string): Buffer {
  const name = Buffer.from(topic);
  return Buffer.concat([Buffer.from([0x30, name.length + 3, ...id(name.length)]), name, Buffer.from([0])]);
}
