import { createServer, type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Rejection } from "../door.ts";
import { maxConnectBytes } from "../parser.ts";
import type { Timers } from "../timers.ts";
import type { Transport } from "../transport.ts";
import { isOriginAllowed } from "./origin.ts";

export interface WebSocketOptions {
  /** Pages that may connect; by default those of the same host. */
  readonly origins: readonly string[] | undefined;
  readonly encrypted: boolean;
  /** A larger message ends the connection. */
  readonly maxMessageBytes: number;
  /** From the first byte to the upgrade. */
  readonly timeoutMs: number;
  readonly timers: Timers;
}

export interface WebSocketEvents {
  opened(transport: Transport, socket: Socket): void;
  failed(rejection: Rejection, socket: Socket): void;
}

/** The WebSocket layer of one listener: the returned function takes connections over. MQTT 5.0, section 6. */
export function openWebSocket(options: WebSocketOptions, events: WebSocketEvents): (socket: Socket) => void {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  const http = createServer({ maxHeaderSize: 8192 }, (_request, response) => {
    response.writeHead(426, { Connection: "close", Upgrade: "websocket", "Content-Type": "text/plain" });
    response.end("MQTT over WebSocket is spoken here.\n");
  });
  const overdue = new WeakMap<Duplex, () => void>();
  http.on("upgrade", (request, duplex, head) => {
    const socket = duplex as Socket;
    overdue.get(socket)?.();
    const refusal = refusalOf(request, options);
    if (refusal === undefined)
      server.handleUpgrade(request, socket, head, (webSocket) =>
        events.opened(new WebSocketTransport(webSocket, socket), socket),
      );
    else {
      refuse(socket, refusal.status);
      events.failed(refusal, socket);
    }
  });
  return (socket) => {
    const cancel = options.timers.after(options.timeoutMs, () => socket.destroy());
    overdue.set(socket, cancel);
    socket.once("close", cancel);
    http.emit("connection", socket);
  };
}

/** The specification's own, and what clients of MQTT 3.1 said before it. */
const subprotocols = ["mqtt", "mqttv3.1"];

function refusalOf(
  { headers }: IncomingMessage,
  { origins, encrypted }: WebSocketOptions,
): (Rejection & { readonly status: number }) | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  if (!subprotocols.some((name) => offered.includes(name)))
    return { status: 400, door: "websocket", why: "WebSocket without the subprotocol mqtt" };
  if (!isOriginAllowed(headers.origin, headers.host, origins, encrypted))
    return { status: 403, door: "origin", why: `pages of ${headers.origin} may not connect` };
  return undefined;
}

function refuse(socket: Socket, status: number): void {
  socket.on("error", () => {}); // it is refused already
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    socket.destroy(),
  );
}

/** MQTT's bytes out of binary messages, however they are cut [MQTT-6.0.0-2], and into them. */
class WebSocketTransport extends Duplex implements Transport {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #answered = false;

  constructor(webSocket: WebSocket, socket: Socket) {
    super({ allowHalfOpen: false, highWaterMark: 65_536 });
    this.#webSocket = webSocket;
    this.#socket = socket;
    let unanswered = 0; // a message is held until it is whole
    const count = (chunk: Buffer) => {
      unanswered += chunk.length;
      if (this.#answered) socket.off("data", count);
      else if (unanswered > maxConnectBytes) this.destroy(new Error("too much before CONNECT was answered"));
    };
    socket.on("data", count);
    webSocket.on("message", (data: Buffer, isBinary) => this.#received(data, isBinary));
    webSocket.on("error", (error) => this.destroy(error));
    webSocket.on("close", () => {
      this.push(null);
      this.destroy();
    });
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.readableEnded || this.destroyed) return;
    if (!isBinary)
      this.destroy(new Error("a text message over WebSocket")); // [MQTT-6.0.0-1]
    else if (!this.push(data)) this.#webSocket.pause();
  }

  override _read(): void {
    if (this.#webSocket.isPaused) this.#webSocket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#answered = true;
    this.#webSocket.send(chunk, { binary: true }, done);
  }

  override _final(done: () => void): void {
    this.#webSocket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#webSocket.terminate();
    done(error);
  }

  setNoDelay(on?: boolean): this {
    this.#socket.setNoDelay(on);
    return this;
  }

  destroySoon(): void {
    this.end(() => this.#socket.destroySoon());
  }
}
