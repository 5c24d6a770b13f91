import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** MQTT 3.1.1 in bytes, for filling a broker: sends, and counts the bytes that come back. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  #received = 0;
  #arrived: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received += chunk.length;
      this.#arrived();
    });
  }

  static async connect(port: number, clientId: string, clean: boolean): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const client = new RawClient(socket);
    client.send(packet(0x10, text("MQTT"), Buffer.from([4, clean ? 2 : 0, 0, 0]), text(clientId)));
    await client.received(4);
    return client;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Resolves when so many bytes came since the connection began. */
  async received(bytes: number): Promise<void> {
    while (this.#received < bytes)
      await new Promise<void>((resolve, reject) => {
        this.#arrived = resolve;
        this.#socket.once("close", () => reject(new Error("the broker closed the connection")));
      });
    this.#socket.removeAllListeners("close");
  }

  /** Subscribes at QoS 1; the SUBACK has come when it resolves. */
  async subscribe(filter: string): Promise<void> {
    const before = this.#received;
    this.send(packet(0x82, Buffer.from([0, 1]), text(filter), Buffer.from([1])));
    await this.received(before + 5);
  }

  /** Publishes at QoS 1, a hundred in flight; all are acknowledged when it resolves. */
  async publish(
    messages: Iterable<{ readonly topic: string; readonly payload: string }>,
    retain: boolean,
  ): Promise<void> {
    const before = this.#received;
    let sent = 0;
    for (const { topic, payload } of messages) {
      const packetId = (sent % 60_000) + 1;
      const head = Buffer.from([packetId >> 8, packetId & 255]);
      this.send(packet(retain ? 0x33 : 0x32, text(topic), head, Buffer.from(payload)));
      sent++;
      if (sent % 100 === 0) await this.received(before + (sent - 100) * 4);
    }
    await this.received(before + sent * 4);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let rest = body.length; length.length === 0 || rest > 0; rest >>= 7)
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
