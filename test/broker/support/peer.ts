import { connect as connectSocket, type NetConnectOpts, type Socket } from "node:net";
import { decodePacket, encodePacket } from "../../../src/broker/codec/codec.ts";
import { findBody, remainingLength } from "../../../src/broker/codec/fixed-header.ts";
import type {
  ConnackPacket,
  ConnectPacket,
  Packet,
  PublishPacket,
  Version,
} from "../../../src/broker/codec/packets.ts";

/** A client that does nothing by itself: it sends what it is told and gives what came, packet by packet. */
export class Peer {
  readonly socket: Socket;
  readonly version: Version;
  #bytes = Buffer.alloc(0);
  #arrived: () => void = () => {};
  #closed = false;

  constructor(to: NetConnectOpts, version: Version) {
    this.version = version;
    this.socket = connectSocket(to);
    this.socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#arrived();
    });
    this.socket.on("error", () => {});
    const ended = () => {
      this.#closed = true;
      this.#arrived();
    };
    this.socket.on("end", ended);
    this.socket.on("close", ended);
  }

  send(...packets: (Packet | Buffer)[]): this {
    const bytes = packets.map((packet) => (Buffer.isBuffer(packet) ? packet : encodePacket(packet, this.version)));
    this.socket.write(Buffer.concat(bytes));
    return this;
  }

  /** Bytes in hex, spaces allowed. */
  sendHex(hex: string): this {
    return this.send(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
  }

  /** The next packet; "closed" when the broker closed the connection instead. */
  async next(): Promise<Packet | "closed"> {
    for (;;) {
      const frame = this.#takeFrame();
      if (frame) return decodePacket(frame.first, frame.body, 0, frame.body.length, this.version);
      if (this.#closed) return "closed";
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  async nextOf<T extends Packet["type"]>(type: T): Promise<Packet & { type: T }> {
    const packet = await this.next();
    if (packet === "closed" || packet.type !== type)
      throw new Error(`expected ${type}, got ${packet === "closed" ? packet : JSON.stringify(packet)}`);
    return packet as Packet & { type: T };
  }

  /** Everything that comes before the answer to a ping sent now. */
  async untilPong(): Promise<Packet[]> {
    this.send({ type: "pingreq" });
    const packets: Packet[] = [];
    for (;;) {
      const packet = await this.next();
      if (packet === "closed") throw new Error("the connection was closed");
      if (packet.type === "pingresp") return packets;
      packets.push(packet);
    }
  }

  /** The bytes that came, undivided, until the broker closed the connection. */
  async untilClosed(): Promise<Buffer> {
    while (!this.#closed)
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    return this.#bytes;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #takeFrame(): { first: number; body: Buffer } | undefined {
    const bodyStart = findBody(this.#bytes, 0, this.#bytes.length);
    if (bodyStart < 0) return undefined;
    const bodyEnd = bodyStart + remainingLength(this.#bytes, 0, bodyStart);
    if (bodyEnd > this.#bytes.length) return undefined;
    const frame = { first: this.#bytes[0] as number, body: this.#bytes.subarray(bodyStart, bodyEnd) };
    this.#bytes = this.#bytes.subarray(bodyEnd);
    return frame;
  }
}

export function connectPacket(with_: Partial<ConnectPacket> & { version: Version }): ConnectPacket {
  return { type: "connect", clientId: "peer", cleanStart: true, keepAliveS: 60, properties: {}, ...with_ };
}

export function publishPacket(topic: string, payload: string, with_: Partial<PublishPacket> = {}): PublishPacket {
  const base = { qos: 0, retain: false, dup: false, packetId: with_.qos ? 1 : 0, properties: {} } as const;
  return { type: "publish", topic, payload: Buffer.from(payload), ...base, ...with_ };
}

export type Accepted = { readonly peer: Peer; readonly connack: ConnackPacket };
