import { join } from "node:path";
import { expect } from "vitest";
import { askService } from "../../src/service/control-client.ts";
import { controlSocket } from "../../src/service/runtime-dir.ts";
import type { Gateway } from "../support/gateway.ts";
import { freePort, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

export const CLIMATE = "  - { id: climate, driver: bme280, bus: sim, interval: 1s }\n";
export const ROOM = "  - { id: room, driver: sht4x, bus: sim, interval: 1s }\n";

export interface Broker extends AsyncDisposable {
  readonly port: number;
  readonly yaml: string;
}

export const brokers = {
  async mosquitto(): Promise<Broker> {
    const broker = await startMosquitto({ persistence: true });
    return {
      port: broker.port,
      yaml: `mqtt: { url: ${broker.url} }\n`,
      [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
    };
  },
  async bundled(): Promise<Broker> {
    const port = await freePort();
    return {
      port,
      yaml: `broker: { listeners: [ { port: ${port} } ] }\n`,
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
} as const;

export type BrokerKind = keyof typeof brokers;

export const configured = (broker: Broker) => `gateway: { id: gw }\n${broker.yaml}devices:\n${CLIMATE}${ROOM}`;
export const ofRoom = (topic: string) => topic.includes("/room/");

export async function topicsOf(broker: Broker, isMeant: (topic: string) => boolean): Promise<string[]> {
  return (await retainedOn(broker.port)).map(({ topic }) => topic).filter(isMeant);
}

export async function runUntilShown(gateway: Gateway, broker: Broker): Promise<void> {
  await gateway.run();
  await waitFor(async () => (await topicsOf(broker, ofRoom)).length === 4, "status, config, state and discovery");
}

/**
 * Asks the service alone, for the command would finish it by itself where the service dies, and kills the service as
 * soon as it says that it begins a step.
 */
async function killedAt(step: string, gateway: Gateway, device: string): Promise<void> {
  const socket = controlSocket(join(gateway.directory, "run"));
  const asked = askService([socket], join(gateway.directory, "store"), "decommission", { device });
  asked.catch(() => undefined);
  await waitFor(() => gateway.err().includes(step), `the step: ${step}`, 30_000);
  gateway.signal("SIGKILL");
  await gateway.exited();
}

export const DEVICE_STEPS = [
  "remember that it was decommissioned",
  "stop sampling, outputs safe",
  "forget its values",
  "withdraw it from Home Assistant",
  "clear its retained topics",
];
export const GATEWAY_STEPS = [...DEVICE_STEPS.slice(0, 3), "end its session", ...DEVICE_STEPS.slice(3)];

/** Kills the service at a step of a device's end, runs it again, and finds nothing left; the old configuration is refused. */
export async function killDeviceRound(gateway: Gateway, kind: BrokerKind, step: string, restarts = 1): Promise<void> {
  await using broker = await brokers[kind]();
  gateway.configure(configured(broker));
  await runUntilShown(gateway, broker);
  await killedAt(step, gateway, "room");
  await gateway.run();
  const again = await gateway.command("decommission", "room", "--yes", "--json");
  expect(again).toMatchObject({ code: 0 });
  expect(JSON.parse(again.out)).toMatchObject({ outcome: "done", left: [] });
  expect(await topicsOf(broker, ofRoom)).toEqual([]);
  gateway.signal("SIGKILL");
  await gateway.exited();
  for (let count = 0; count < restarts; count++) {
    const refused = await gateway.command("run");
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("fieldpost decommission room --revive");
  }
  if (kind === "mosquitto") expect(await topicsOf(broker, ofRoom)).toEqual([]);
}

/** The same of the gateway's end, which the next start finishes by itself. */
export async function killGatewayRound(gateway: Gateway, kind: BrokerKind, step: string): Promise<void> {
  await using broker = await brokers[kind]();
  gateway.configure(configured(broker));
  await runUntilShown(gateway, broker);
  await killedAt(step, gateway, "gateway");
  if (step === GATEWAY_STEPS[0]) {
    // Whether the tombstone was written is a matter of a moment.
    const started = gateway.run().catch(() => undefined);
    await started;
    await gateway.command("decommission", "--gateway", "--yes");
    await gateway.exited();
  } else {
    expect(await gateway.command("run")).toMatchObject({ code: 0 });
  }
  expect(await gateway.command("run")).toMatchObject({ code: 2 });
  if (kind === "mosquitto") expect(await topicsOf(broker, (topic) => topic.includes("/gw/"))).toEqual([]);
}
