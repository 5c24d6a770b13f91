import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { linuxClock } from "../../src/hardware/clock.ts";
import { askService } from "../../src/service/control-client.ts";
import { controlSocket } from "../../src/service/runtime-dir.ts";
import { openLedgerAtRest } from "../../src/store/ledger-at-rest.ts";
import { smallKeysOf, valuedDevices } from "../../src/wiring/small-values.ts";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collector, collect, waitFor } from "../support/mosquitto.ts";
import {
  type Broker,
  type BrokerKind,
  brokers,
  CLIMATE,
  expectNoSession,
  ROOM,
  topicsOf,
} from "./decommission-brokers.ts";

export const configured = (broker: Broker) => `gateway: { id: gw }\n${broker.yaml}devices:\n${CLIMATE}${ROOM}`;
export const ofRoom = (topic: string) => topic.includes("/room/");
const ofClimate = (topic: string) => topic.includes("/climate/");
const ofGateway = (topic: string) => topic.includes("/gw/");

const REMEMBER = "remember that it was decommissioned";
const STOP = "stop sampling, outputs safe";
const DROP = "drop the readings that wait";
const FORGET = "forget its values";
const DELIVER = "deliver the readings that wait";
const WITHDRAW = "withdraw it from Home Assistant";
const CLEAR = "clear its retained topics";
const DEVICE_STEPS = [REMEMBER, STOP, DROP, FORGET, WITHDRAW, CLEAR];
const GATEWAY_STEPS = [REMEMBER, STOP, DROP, DELIVER, "end its session", FORGET, WITHDRAW, CLEAR];
/** Readings wait only where the broker can be away: the bundled one is there as long as the gateway is. */
const BACKLOG_STEPS = [DROP, DELIVER];

export interface KillRound {
  readonly kind: BrokerKind;
  readonly id: "room" | "gateway";
  readonly step: string;
}

/** Every step of both ends, at both brokers. */
export const killRounds: readonly KillRound[] = (["mosquitto", "bundled"] as const).flatMap((kind) => {
  const isPossible = (step: string) => kind === "mosquitto" || !BACKLOG_STEPS.includes(step);
  return [
    ...DEVICE_STEPS.filter(isPossible).map((step) => ({ kind, id: "room" as const, step })),
    ...GATEWAY_STEPS.filter(isPossible).map((step) => ({ kind, id: "gateway" as const, step })),
  ];
});

export interface KillOptions {
  /** After the step began; 0: as it begins, before any of it is done. */
  readonly afterMs?: number;
  /** How often it is started again with the old configuration. */
  readonly restarts?: number;
}

export async function runUntilShown(gateway: Gateway, broker: Broker): Promise<void> {
  await gateway.run();
  await waitFor(async () => (await topicsOf(broker, ofRoom)).length === 4, "status, config, state and discovery");
}

/**
 * Kills the service at a step of an end, runs it again, and sees that nothing is left and that the old configuration
 * brings nothing back. Returns the step that it died in: the last one that it had begun.
 */
export async function killRound(round: KillRound, { afterMs = 0, restarts = 1 }: KillOptions = {}): Promise<string> {
  const { kind, id, step } = round;
  const mark = join(mkdtempSync(join(tmpdir(), "fieldpost-kill-")), "killed");
  await using broker = await brokers[kind]();
  await using gateway = createGateway({
    NODE_OPTIONS: `--import ${join(import.meta.dirname, "../support/kill-at.mjs")}`,
    FIELDPOST_KILL_AT: step,
    FIELDPOST_KILL_AFTER_MS: `${afterMs}`,
    FIELDPOST_KILL_MARK: mark,
  });
  gateway.configure(configured(broker));
  await runUntilShown(gateway, broker);
  await using heard = await collect(broker.port, "fieldpost/gw/+/readings");
  try {
    const sampled = BACKLOG_STEPS.includes(step) ? await backlog(gateway, broker) : 0;
    if (step === DELIVER) await broker.outage?.end();
    await killed(gateway, { id, discard: step === DROP }, () => existsSync(mark));
    if (step === DROP) await broker.outage?.end();
    const diedIn = lastBegun(gateway.err());
    await (id === "gateway" ? gatewayAgain(gateway, step) : deviceAgain(gateway, broker, step));
    await expectForgotten(gateway, id);
    for (let count = 0; count < restarts; count++) await refused(gateway, id);
    await broker.whileThere(gateway, async () => {
      expect(await topicsOf(broker, id === "gateway" ? ofGateway : ofRoom)).toEqual([]);
      if (id === "gateway") await expectNoSession(broker);
      else if (kind === "mosquitto") expect(await topicsOf(broker, ofClimate)).toHaveLength(4);
    });
    if (step === DELIVER) expectComplete(heard, sampled);
    return diedIn;
  } finally {
    rmSync(join(mark, ".."), { recursive: true });
  }
}

/** The broker is away until readings wait. Returns how many were taken so far. */
async function backlog(gateway: Gateway, broker: Broker): Promise<number> {
  await broker.outage?.begin();
  let sampled = 0;
  await waitFor(async () => {
    const { counters } = JSON.parse((await gateway.command("status", "--json")).out);
    sampled = counters.sampled;
    return counters.pending >= 8;
  }, "readings that wait");
  return sampled;
}

/** Asks the service alone: the command would finish it by itself where the service dies. */
async function killed(
  gateway: Gateway,
  request: { id: string; discard: boolean },
  isDone: () => boolean,
): Promise<void> {
  const socket = controlSocket(join(gateway.directory, "run"));
  const question = { device: request.id, discard: request.discard };
  askService([socket], join(gateway.directory, "store"), "decommission", question).catch(() => undefined);
  await waitFor(isDone, "the step begins");
  expect(await gateway.exited()).toBeNull();
}

function lastBegun(log: string): string {
  const begun = [...log.matchAll(/decommissioning .*step="?([^"\n]*)/g)].at(-1)?.[1] ?? "none";
  return [...new Set([...DEVICE_STEPS, ...GATEWAY_STEPS])].find((step) => begun.startsWith(step)) ?? begun;
}

async function deviceAgain(gateway: Gateway, broker: Broker, step: string): Promise<void> {
  await gateway.run();
  const discard = step === DROP ? ["--discard"] : [];
  await waitFor(async () => {
    const again = await gateway.command("decommission", "room", "--yes", "--json", ...discard);
    expect(again.code).toBe(0);
    return JSON.parse(again.out).outcome === "done";
  }, "that it is done");
  expect(await topicsOf(broker, ofRoom)).toEqual([]);
  if (broker.outage) await waitFor(async () => (await topicsOf(broker, ofClimate)).length === 4, "the other device");
  gateway.signal("SIGKILL");
  await gateway.exited();
}

/** The next start finishes it by itself, once there is a tombstone. */
async function gatewayAgain(gateway: Gateway, step: string): Promise<void> {
  if (step === REMEMBER) {
    // Whether the tombstone was written is a matter of a moment.
    await gateway.run().catch(() => undefined);
    await gateway.command("decommission", "--gateway", "--yes");
    await gateway.exited();
  } else {
    expect(await gateway.command("run")).toMatchObject({ code: 0 });
  }
}

async function refused(gateway: Gateway, id: string): Promise<void> {
  const { code, err } = await gateway.command("run");
  expect(code).toBe(2);
  expect(err).toContain(`fieldpost decommission ${id === "gateway" ? "--gateway" : id} --revive`);
}

/** Nothing is kept of it on the disk, but for the mark of a command that ended it without the service. */
async function expectForgotten({ directory }: Gateway, id: string): Promise<void> {
  await using store = await openLedgerAtRest(join(directory, "store"), linuxClock());
  const kept = smallKeysOf(id, store.metaKeys()).filter((key) => !key.startsWith("forget/"));
  expect([kept, valuedDevices(id, store)]).toEqual([[], []]);
}

/** Every reading that was taken before its end has been delivered. */
function expectComplete(heard: Collector, sampled: number): void {
  const seqs = new Set(heard.messages.map(({ payload }) => JSON.parse(payload).seq as number));
  const last = Math.max(...seqs);
  expect(last).toBeGreaterThanOrEqual(sampled);
  const first = Math.min(...seqs);
  expect(seqs.size).toBe(last - first + 1);
}
