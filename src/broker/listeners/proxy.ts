import type { Socket } from "node:net";
import type { Timers } from "../timers.ts";
import { ProxyHeaderFault, parseProxyHeader } from "./proxy-header.ts";

export interface ProxyEvents {
  /** The header is read; what follows it is still in the socket. */
  read(address: string | undefined): void;
  failed(why: string): void;
}

/** Reads the PROXY header of a connection, in the time that is given; an event tells how it ended, none if the peer just went. */
export function readProxyHeader(socket: Socket, timeoutMs: number, timers: Timers, events: ProxyEvents): void {
  let bytes = Buffer.alloc(0);
  const end = () => {
    cancel();
    socket.off("readable", take);
    socket.off("error", end);
    socket.off("close", end);
  };
  const fail = (why: string) => {
    end();
    socket.on("error", () => {}); // it is refused already
    events.failed(`PROXY header: ${why}`);
    socket.destroy();
  };
  const take = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    bytes = Buffer.concat([bytes, chunk]);
    try {
      const header = parseProxyHeader(bytes);
      if (header === undefined) return;
      end();
      if (header.end < bytes.length) socket.unshift(bytes.subarray(header.end));
      events.read(header.address);
    } catch (error) {
      if (!(error instanceof ProxyHeaderFault)) throw error;
      fail(error.message);
    }
  };
  const cancel = timers.after(timeoutMs, () => fail("it did not come in time"));
  socket.on("readable", take);
  socket.on("error", end);
  socket.on("close", end);
}

/** The true addresses of connections through a proxy, by what the layers above see of the same connection, too. */
export class ProxiedAddresses {
  readonly #byConnection = new Map<string, string>();

  set(socket: Socket, address: string): void {
    const key = keyOf(socket);
    this.#byConnection.set(key, address);
    socket.once("close", () => this.#byConnection.delete(key));
  }

  of(socket: Socket): string | undefined {
    return this.#byConnection.get(keyOf(socket));
  }
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
