import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";

/** A line to a port of 127.0.0.1, with the faults that lines have. */
export interface Line extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** How many connections there were. */
  connections(): number;
  /** Cuts the connection that came as the n-th, counted from 1; without a number all that there are. */
  cut(number?: number): void;
  /** From now on everything is swallowed and nothing closed, in both directions; or again passed on. */
  swallow(yes: boolean): void;
  /** New connections are cut at once, or not. */
  refuse(yes: boolean): void;
}

export async function openLine(to: number, { delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<Line> {
  const open = new Map<number, Socket[]>();
  let connections = 0;
  let isSwallowing = false;
  let isRefusing = false;
  const server = createServer((near) => {
    const number = ++connections;
    near.on("error", () => {});
    if (isRefusing) return void near.destroy();
    const far = connectTcp(to, "127.0.0.1");
    open.set(number, [near, far]);
    for (const [from, onward] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      const pass = (chunk: Buffer) => {
        if (!isSwallowing && !onward.destroyed) onward.write(chunk);
      };
      from.on("data", (chunk) => (delayMs === 0 ? pass(chunk) : void setTimeout(pass, delayMs, chunk)));
      from.on("error", () => {});
      from.on("close", () => {
        if (!isSwallowing) onward.destroy();
        open.delete(number);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const cut = (number?: number) => {
    const cutOff = number === undefined ? [...open.values()].flat() : (open.get(number) ?? []);
    for (const socket of cutOff) socket.destroy();
  };
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    connections: () => connections,
    cut,
    swallow: (yes) => {
      isSwallowing = yes;
    },
    refuse: (yes) => {
      isRefusing = yes;
    },
    async [Symbol.asyncDispose]() {
      isSwallowing = false;
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
