import type { Socket } from "node:net";
import type { Rejection } from "../door.ts";
import type { BrokerLimits } from "../limits.ts";
import type { ListenerOptions } from "../options.ts";

/** How many connections there are from each address, by all listeners together. */
export type AddressCounts = Map<string, number>;

/** Who is let into one listener as far as there is room. What it returns is why not; undefined lets in until the socket closes. */
export class Admission {
  readonly #options: ListenerOptions;
  readonly #limits: BrokerLimits;
  readonly #byAddress: AddressCounts;
  #connections = 0;

  constructor(options: ListenerOptions, limits: BrokerLimits, byAddress: AddressCounts) {
    this.#options = options;
    this.#limits = limits;
    this.#byAddress = byAddress;
  }

  /** A place of the listener. */
  enter(socket: Socket): Rejection | undefined {
    if (this.#connections >= (this.#options.maxConnections ?? this.#limits.connectionsPerListener))
      return { door: "listener_full", why: "too many connections" };
    this.#connections++;
    socket.once("close", () => this.#connections--);
    return undefined;
  }

  /** A place of the address; those of a Unix socket all come from one. */
  enterFrom(socket: Socket, address: string): Rejection | undefined {
    if ("path" in this.#options) return undefined;
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#limits.connectionsPerAddress)
      return { door: "address_full", why: "too many connections from one address" };
    this.#byAddress.set(address, count + 1);
    socket.once("close", () => {
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
    });
    return undefined;
  }
}

/** Where there is no place, it waits a few turns of the event loop: peers that left before it came may not have been seen to. */
export function enterSoon(
  admission: Admission,
  socket: Socket,
  entered: (rejection: Rejection | undefined) => void,
  turns = turnsToLeave,
): void {
  const rejection = admission.enter(socket);
  if (rejection === undefined || turns === 0) {
    entered(rejection);
    return;
  }
  const ignore = () => {};
  socket.on("error", ignore);
  setImmediate(() => {
    enterSoon(admission, socket, entered, turns - 1);
    socket.off("error", ignore);
  });
}

const turnsToLeave = 5;
