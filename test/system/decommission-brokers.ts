import { spawn } from "node:child_process";
import { once } from "node:events";
import mqtt from "mqtt";
import { expect } from "vitest";
import type { Gateway } from "../support/gateway.ts";
import { MAIN } from "../support/gateway.ts";
import { freePort, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

export const CLIMATE = "  - { id: climate, driver: bme280, bus: sim, interval: 1s }\n";
export const ROOM = "  - { id: room, driver: sht4x, bus: sim, interval: 1s }\n";
const CLIENT_ID = "gw-uplink";

export interface Broker extends AsyncDisposable {
  readonly port: number;
  readonly yaml: string;
  /** Only of a broker of its own: it goes away, and comes back with what it kept. */
  readonly outage?: { begin(): Promise<void>; end(): Promise<void> };
  /** The clients that the gateway has been to it. */
  clientIds(): string[];
  /** Runs while the broker is there, though the gateway is not. */
  whileThere<T>(gateway: Gateway, look: () => Promise<T>): Promise<T>;
}

const drained = `client_id: ${CLIENT_ID}, drain_rate: 1`;

export const brokers = {
  async mosquitto(): Promise<Broker> {
    const broker = await startMosquitto({ persistence: true });
    return {
      port: broker.port,
      yaml: `mqtt: { url: ${broker.url}, ${drained} }\n`,
      outage: { begin: () => broker.stop(), end: () => broker.start() },
      clientIds: () => [...new Set([...broker.log().matchAll(/ as (gw\S*) \(/g)].map(([, id = ""]) => id))],
      whileThere: (_, look) => look(),
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
  async bundled(): Promise<Broker> {
    const port = await freePort();
    return {
      port,
      yaml: `mqtt: { ${drained} }\nbroker: { listeners: [ { port: ${port} } ] }\n`,
      clientIds: () => [CLIENT_ID],
      whileThere: (gateway, look) => withBrokerAlone(gateway, look),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
} as const;

export type BrokerKind = keyof typeof brokers;

/** `fieldpost broker` on what the gateway's own broker left on the disk. */
async function withBrokerAlone<T>({ configFile, directory }: Gateway, look: () => Promise<T>): Promise<T> {
  const env = { ...process.env, RUNTIME_DIRECTORY: `${directory}/run` };
  const child = spawn(process.execPath, [MAIN, "broker", "--config", configFile], { env });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exited = once(child, "exit");
  try {
    await waitFor(() => {
      if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}:\n${output}`);
      return output.includes("fieldpost broker is running");
    }, "the broker alone");
    return await look();
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}

export async function topicsOf(broker: Broker, isMeant: (topic: string) => boolean): Promise<string[]> {
  return (await retainedOn(broker.port)).map(({ topic }) => topic).filter(isMeant);
}

/** The broker keeps no session for any client that the gateway has been. */
export async function expectNoSession(broker: Broker): Promise<void> {
  const ids = broker.clientIds();
  expect(ids).toContain(CLIENT_ID);
  for (const clientId of ids) {
    expect(await hasSession(broker.port, clientId, false), clientId).toBe(false);
    // The question made one.
    await hasSession(broker.port, clientId, true);
  }
}

async function hasSession(port: number, clientId: string, clean: boolean): Promise<boolean> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId, clean, protocolVersion: 4, reconnectPeriod: 0 });
  const present = await new Promise<boolean>((resolve, reject) => {
    client.once("connect", ({ sessionPresent }) => resolve(sessionPresent)).once("error", reject);
  });
  await client.endAsync();
  return present;
}
