import { chmod, lstat, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { errnoName, GatewayError, messageOf } from "../../core/errors.ts";
import type { Door, Rejection } from "../door.ts";
import type { BrokerLimits } from "../limits.ts";
import type { ListenerOptions } from "../options.ts";
import type { Timers } from "../timers.ts";
import type { Certified, Transport } from "../transport.ts";
import { type AddressCounts, Admission, enterSoon } from "./admission.ts";
import { ProxiedAddresses, readProxyHeader } from "./proxy.ts";
import type { TlsGate } from "./tls.ts";

export type BoundAddress =
  | { readonly scheme: "mqtt" | "mqtts" | "ws" | "wss"; readonly address: string; readonly port: number }
  | { readonly path: string };

/** A place where clients come in. Disposing it lets nobody in any more; those who are in stay. */
export interface Listener extends AsyncDisposable {
  readonly bound: BoundAddress;
  /** Undefined without TLS. */
  readonly tls: TlsGate | undefined;
}

export interface ListenerEvents {
  accepted(transport: Transport, listener: ListenerOptions, address: string, certified: Certified | undefined): void;
  /** There is no room. */
  refused(rejection: Rejection, address: string): void;
  /** PROXY header, TLS or WebSocket did not come about. */
  failed(rejection: Rejection, address: string): void;
}

export interface ListenerDeps {
  readonly limits: BrokerLimits;
  readonly timers: Timers;
  readonly connectionsByAddress: AddressCounts;
}

/**
 * Loads what the listener needs; what is returned opens it at once, so that none of several is open long before another.
 * Throws GatewayError: CONFIG_INVALID where it must not listen, ADDRESS_IN_USE where somebody else does.
 */
export async function prepareListener(
  options: ListenerOptions,
  deps: ListenerDeps,
  events: ListenerEvents,
): Promise<() => Promise<Listener>> {
  const proxied = new ProxiedAddresses();
  const addressOf = (socket: Socket) => proxied.of(socket) ?? ownAddress(socket, options);
  const { tls, enter } = await layers(options, deps, events, addressOf);
  if ("path" in options) await removeStale(options.path);
  const admission = new Admission(options, deps.limits, deps.connectionsByAddress);
  const sockets = new Set<Socket>();
  const refuse = (socket: Socket, rejection: Rejection) => {
    socket.on("error", () => {}); // it is gone already: nothing is left to do
    events.refused(rejection, addressOf(socket));
    socket.destroy();
  };
  const welcome = (socket: Socket, address: string) => {
    const rejection = admission.enterFrom(socket, address);
    if (rejection === undefined) enter(socket);
    else refuse(socket, rejection);
  };
  const take = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (!("address" in options && options.proxyProtocol)) welcome(socket, addressOf(socket));
    else
      readProxyHeader(socket, deps.limits.connectTimeoutMs, deps.timers, {
        read(address) {
          if (address !== undefined) proxied.set(socket, address);
          welcome(socket, addressOf(socket));
        },
        failed: (why) => events.failed({ door: "proxy_header", why }, addressOf(socket)),
      });
  };
  const server = createServer((socket) =>
    enterSoon(admission, socket, (rejection) => {
      if (rejection === undefined) take(socket);
      else refuse(socket, rejection);
    }),
  );
  return async () => {
    await bind(server, options);
    if ("path" in options) await chmod(options.path, options.mode ?? 0o660);
    return { bound: boundAddress(server, options), tls, [Symbol.asyncDispose]: () => close(server, sockets) };
  };
}

/** What a connection goes through before MQTT is spoken: TLS, WebSocket, both or none. Only what is used is loaded: HTTP and WebSocket take 8 MB. */
async function layers(
  options: ListenerOptions,
  { limits, timers }: ListenerDeps,
  events: ListenerEvents,
  addressOf: (socket: Socket) => string,
): Promise<{ tls: TlsGate | undefined; enter: (socket: Socket) => void }> {
  const failed = (door: Door, why: string, socket: Socket) => events.failed({ door, why }, addressOf(socket));
  const certificates = new WeakMap<Socket, Certified>();
  const accept = (transport: Transport, socket: Socket) =>
    events.accepted(transport, options, addressOf(socket), certificates.get(socket));
  const upgrade =
    options.protocol === "websocket" &&
    (await import("./websocket.ts")).openWebSocket(
      {
        origins: options.origins,
        encrypted: options.tls !== undefined,
        maxMessageBytes: limits.packetBytes + frameSlackBytes,
        timeoutMs: limits.connectTimeoutMs,
        timers,
      },
      { opened: accept, failed: ({ door, why }, socket) => failed(door, why, socket) },
    );
  const speak = upgrade || ((socket: Socket) => accept(socket, socket));
  if (options.tls === undefined) return { tls: undefined, enter: speak };
  const { openTls } = await import("./tls.ts");
  const tls = await openTls(options.tls, limits.connectTimeoutMs, {
    secured(socket, certified) {
      if (certified) certificates.set(socket, certified);
      speak(socket);
    },
    failed: (why, socket) => failed("tls", why, socket),
  });
  return { tls, enter: tls.take };
}

/** The header of the largest packet, and small ones that are sent with it. */
const frameSlackBytes = 65_536;

/** Lets nobody in any more, and waits for those who are in; who does not go meanwhile is not waited for. */
async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const linger = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, lingerMs);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(linger);
}

const lingerMs = 1000;

function ownAddress(socket: Socket, options: ListenerOptions): string {
  return "path" in options ? options.path : (socket.remoteAddress ?? "unknown");
}

function bind(server: Server, options: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(explain(error, options)));
    server.listen("path" in options ? { path: options.path } : { host: options.address, port: options.port }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function explain(error: Error, options: ListenerOptions): GatewayError {
  const where = "path" in options ? options.path : `${options.address} port ${options.port}`;
  if (errnoName(error) === "EADDRINUSE")
    return new GatewayError("ADDRESS_IN_USE", `the broker cannot listen on ${where}: another program does`, {
      cause: error,
    });
  return new GatewayError("CONFIG_INVALID", `the broker cannot listen on ${where}: ${messageOf(error)}`, {
    cause: error,
  });
}

/** A socket file outlives the process that made it; one that nobody answers at is in the way. */
async function removeStale(path: string): Promise<void> {
  try {
    const found = await lstat(path);
    if (!found.isSocket())
      throw new GatewayError("CONFIG_INVALID", `the broker cannot listen on ${path}: it is there, and no socket`);
    if (await isStale(path)) await unlink(path);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (errnoName(error) !== "ENOENT")
      throw new GatewayError("CONFIG_INVALID", `the old socket ${path} cannot be removed: ${messageOf(error)}`, {
        cause: error,
      });
  }
}

/** Only a refusal says that nobody is there; whose socket may not be connected to may well be in use. */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error) => resolve(errnoName(error) === "ECONNREFUSED"));
  });
}

function boundAddress(server: Server, { protocol, tls }: ListenerOptions): BoundAddress {
  const bound = server.address();
  if (bound === null) throw new Error("the server is bound");
  if (typeof bound === "string") return { path: bound };
  const scheme = protocol === "websocket" ? (tls ? "wss" : "ws") : tls ? "mqtts" : "mqtt";
  return { scheme, address: bound.address, port: bound.port };
}
