import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoundAddress } from "../../../src/broker/listeners/listen.ts";
import { createAuthority, issueServer } from "../../../src/pki/authority.ts";
import { openTestBroker, type TestBroker } from "./broker.ts";

export const listenerKinds = ["mqtt", "mqtts", "ws", "wss", "unix"] as const;
export type ListenerKind = (typeof listenerKinds)[number];

/** Where a client finds a listener. `port` is 0 and `path` its socket on Unix; else `path` is empty. */
export interface Door {
  readonly kind: ListenerKind;
  readonly port: number;
  readonly path: string;
  readonly caFile: string;
}

/** One broker with a listener of every kind, its certificate made for localhost. */
export interface EveryListener extends AsyncDisposable {
  readonly broker: TestBroker;
  readonly door: (kind: ListenerKind) => Door;
}

export async function openEveryListener(): Promise<EveryListener> {
  const folder = mkdtempSync(join(tmpdir(), "doors-"));
  const file = (name: string) => join(folder, name);
  await createAuthority(folder);
  await issueServer(folder, ["localhost", "127.0.0.1"]);
  const tls = { certFile: file("server.pem"), keyFile: file("server.key") };
  const local = { address: "127.0.0.1", port: 0 };
  const broker = await openTestBroker({
    listeners: [
      local,
      { ...local, tls },
      { ...local, protocol: "websocket" },
      { ...local, protocol: "websocket", tls },
      { path: file("mqtt.sock") },
    ],
  });
  const door = (kind: ListenerKind): Door => {
    const bound = broker.broker.addresses.find((address) => kindOf(address) === kind);
    if (bound === undefined) throw new Error(`no ${kind} listener among ${JSON.stringify(broker.broker.addresses)}`);
    const where = "path" in bound ? { port: 0, path: bound.path } : { port: bound.port, path: "" };
    return { kind, ...where, caFile: file("ca.pem") };
  };
  return {
    broker,
    door,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const kindOf = (address: BoundAddress): ListenerKind => ("path" in address ? "unix" : address.scheme);
