import { chmod, unlink } from "node:fs/promises";
import { createConnection, createServer, isIP, type Server, type Socket } from "node:net";
import { errnoName, GatewayError, messageOf } from "../core/errors.ts";
import type { BrokerLimits } from "./limits.ts";
import type { ListenerOptions } from "./options.ts";

export type BoundAddress = { readonly address: string; readonly port: number } | { readonly path: string };

/** A place where clients come in. Disposing it lets nobody in any more; those who are in stay. */
export interface Listener extends AsyncDisposable {
  readonly bound: BoundAddress;
}

export interface ListenerEvents {
  accepted(socket: Socket, listener: ListenerOptions, address: string): void;
  refused(why: string, address: string): void;
}

/** Throws GatewayError: CONFIG_INVALID where it must not listen, ADDRESS_IN_USE where somebody else does. */
export async function listen(
  options: ListenerOptions,
  limits: BrokerLimits,
  events: ListenerEvents,
): Promise<Listener> {
  if ("path" in options) await removeStale(options.path);
  else requireLoopback(options.address);
  const server = createServer((socket) => admit(socket, options, limits, counts, events));
  const counts = new Map<string, number>();
  await bind(server, options);
  if ("path" in options) await chmod(options.path, options.mode ?? 0o660);
  return {
    bound: boundAddress(server),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Anyone in reach could publish: beyond loopback that takes passwords or certificates. */
function requireLoopback(address: string): void {
  const isLoopback =
    address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
  if (!isLoopback)
    throw new GatewayError(
      "CONFIG_INVALID",
      `the broker does not listen on ${address}: without authentication only on loopback (127.0.0.1 or ::1)`,
    );
}

/** Counts connections of an address; the key of the whole listener is the empty string. */
function admit(
  socket: Socket,
  options: ListenerOptions,
  limits: BrokerLimits,
  counts: Map<string, number>,
  events: ListenerEvents,
): void {
  const address = "path" in options ? options.path : (socket.remoteAddress ?? "unknown");
  const why = refusal(counts, address, limits, "path" in options);
  if (why !== undefined) {
    socket.on("error", () => {}); // it is gone already: nothing is left to do
    socket.destroy();
    events.refused(why, address);
    return;
  }
  for (const key of ["", address]) counts.set(key, (counts.get(key) ?? 0) + 1);
  socket.once("close", () => {
    for (const key of ["", address]) {
      const left = (counts.get(key) ?? 1) - 1;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
    }
  });
  events.accepted(socket, options, address);
}

function refusal(
  counts: ReadonlyMap<string, number>,
  address: string,
  limits: BrokerLimits,
  isPath: boolean,
): string | undefined {
  if ((counts.get("") ?? 0) >= limits.connectionsPerListener) return "too many connections";
  if (!isPath && (counts.get(address) ?? 0) >= limits.connectionsPerAddress)
    return "too many connections from one address";
  return undefined;
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
  if (await answers(path)) return;
  try {
    await unlink(path);
  } catch (error) {
    if (errnoName(error) !== "ENOENT")
      throw new GatewayError("CONFIG_INVALID", `the old socket ${path} cannot be removed: ${messageOf(error)}`, {
        cause: error,
      });
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function boundAddress(server: Server): BoundAddress {
  const bound = server.address();
  if (bound === null) throw new Error("the server is bound");
  return typeof bound === "string" ? { path: bound } : { address: bound.address, port: bound.port };
}
