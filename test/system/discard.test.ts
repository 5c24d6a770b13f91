import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collector, collect, type Mosquitto, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { CLIMATE, ROOM } from "./decommission-brokers.ts";
import { ofRoom } from "./decommission-rounds.ts";

vi.setConfig({ testTimeout: 180_000 });

interface Reading {
  readonly epoch: number;
  readonly seq: number;
}

let gateway: Gateway;
let broker: Mosquitto;
let collector: Collector;
beforeEach(async () => {
  gateway = createGateway();
  broker = await startMosquitto({ persistence: true });
  gateway.configure(`gateway: { id: gw }\nmqtt: { url: ${broker.url} }\ndevices:\n${CLIMATE}${ROOM}`);
  await gateway.run();
  await waitFor(
    async () => (await retainedOn(broker.port)).filter(({ topic }) => ofRoom(topic)).length === 4,
    "the room",
  );
  collector = await collect(broker.port, ["fieldpost/#"]);
});
afterEach(async () => {
  await collector[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

const readings = (device: string) =>
  collector.on(`fieldpost/gw/${device}/readings`).map((payload) => JSON.parse(payload) as Reading);
const highest = (device: string) => Math.max(0, ...readings(device).map(({ seq }) => seq));

const status = async () => JSON.parse((await gateway.command("status", "--json")).out);

/** The broker is gone, and several readings of each device wait. */
async function waiting(): Promise<void> {
  await broker.stop();
  await waitFor(async () => (await status()).counters.pending >= 8, "readings that wait");
}

describe("decommission --discard", () => {
  test("drops what waits of the device, says so, and delivers the others'", async () => {
    await waiting();
    const dry = async (...args: string[]) => (await gateway.command("decommission", "room", "--dry-run", ...args)).out;
    expect(await dry()).toMatch(/\d+ of its readings wait, and are still delivered/);
    expect(await dry("--discard")).toMatch(/\d+ of its readings wait, and would be dropped/);
    const sent = highest("room");
    const queued = await gateway.command("decommission", "room", "--discard", "--json");
    expect(queued.code).toBe(0);
    expect(JSON.parse(queued.out)).toMatchObject({ outcome: "queued", waiting: 0 });
    const { dropped } = (await status()).counters;
    expect(dropped.decommissioned).toBeGreaterThanOrEqual(3);

    await broker.start();
    await waitFor(() => gateway.err().includes("decommission is finished"), "the end of the room");
    const news = highest("climate");
    await waitFor(() => highest("climate") > news, "newer readings of the other device");
    await waitFor(async () => (await status()).counters.pending <= 2, "everything is delivered");
    expect(highest("room")).toBe(sent);
    const { counters } = await status();
    expect(counters.dropped).toEqual(dropped);
    expect(counters.sampled).toBe(counters.delivered + counters.pending + dropped.decommissioned);
    // What a consumer misses is what it was told of: nothing else is missing between the first and the last.
    const told = collector.on("fieldpost/gw/gaps").map((payload) => JSON.parse(payload));
    expect(told.map(({ reason }) => reason)).toEqual(told.map(() => "decommissioned"));
    const lost = new Set(
      told.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index)),
    );
    expect(lost.size).toBe(dropped.decommissioned);
    const seqs = new Set([...readings("climate"), ...readings("room")].map(({ seq }) => seq));
    const [first, last] = [Math.min(...seqs), Math.max(...seqs)];
    const missing = Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
      (seq) => !seqs.has(seq),
    );
    expect(missing.filter((seq) => !lost.has(seq))).toEqual([]);
    expect([...lost].filter((seq) => seqs.has(seq))).toEqual([]);
    expect((await retainedOn(broker.port)).filter(({ topic }) => ofRoom(topic))).toEqual([]);
  });

  test("without it what waits of the device is delivered after its end", async () => {
    await waiting();
    const sent = highest("room");
    const queued = await gateway.command("decommission", "room", "--json");
    const { waiting: held } = JSON.parse(queued.out);
    expect(held).toBeGreaterThanOrEqual(3);
    await broker.start();
    await waitFor(() => readings("room").filter(({ seq }) => seq > sent).length >= held, "what waited");
    expect((await status()).counters.dropped).toEqual({});
  });

  test("of the gateway drops everything that waits, and ends it as soon as the broker is there", async () => {
    await waiting();
    const sent = [highest("climate"), highest("room")];
    const queued = await gateway.command("decommission", "--gateway", "--discard", "--yes", "--json");
    expect(queued.code).toBe(0);
    expect(JSON.parse(queued.out)).toMatchObject({ outcome: "queued", waiting: 0 });
    await broker.start();
    expect(await gateway.exited()).toBe(0);
    expect([highest("climate"), highest("room")]).toEqual(sent);
    expect((await retainedOn(broker.port)).filter(({ topic }) => topic.includes("/gw/"))).toEqual([]);
    expect((await gateway.command("check")).code).toBe(2);
  });
});
