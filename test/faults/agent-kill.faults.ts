import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Book, keepBook } from "../support/book.ts";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { freePort, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { figures, rounds } from "./campaign.ts";

const FILTER = "fieldpost/gw/+/readings";
const LIVES_AT_MOST_MS = 2000;
/** So many of the lives end before the gateway was up: it has only begun to take up what the one before left. */
const SHORTEST_LIVES = 0.2;
const SOON_MS = 120_000;
const TOLD_EACH = 50;
const DEVICES = [
  ...["0x44", "0x45", "0x46"].map((address) => `driver: sht4x, address: ${address}`),
  ...["0x76", "0x77"].map((address) => `driver: bme280, address: ${address}`),
  ...[4, 5, 6, 7, 8].map((pin) => `driver: digital-input, pin: ${pin}`),
];

/** Devices that are read so often, or none. */
function configuration(network: string, interval?: string): string {
  const devices = DEVICES.map((device, index) => `  - { id: d${index}, bus: sim, interval: ${interval}, ${device} }`);
  return `gateway: { id: gw }\n${network}\ndevices:\n${interval ? devices.join("\n") : "  []"}\n`;
}

interface Counters {
  readonly sampled: number;
  readonly delivered: number;
  readonly pending: number;
  readonly dropped: Readonly<Record<string, number>>;
}

async function countersOf(gateway: Gateway): Promise<Counters> {
  const { out } = await gateway.command("status", "--json");
  return JSON.parse(out).counters;
}

/** Started and killed at a random moment, which may be before it was up. */
async function shortLife(gateway: Gateway): Promise<void> {
  const running = gateway.run().catch(() => {});
  if (Math.random() > SHORTEST_LIVES) await running;
  await sleep(Math.random() * LIVES_AT_MOST_MS);
  gateway.signal("SIGKILL");
  await gateway.exited();
  await running;
}

/** Everything that was accepted in all the lives is in the book, once and in order. */
async function settle(gateway: Gateway, book: Book, network: string): Promise<Counters> {
  gateway.configure(configuration(network, "1h"));
  await gateway.run();
  let counters = await countersOf(gateway);
  const isOver = async () => {
    counters = await countersOf(gateway);
    return counters.pending === 0 && book.size === counters.delivered;
  };
  await waitFor(isOver, "a book as full as the gateway says", SOON_MS).catch(() => {});
  const { violations, epochs, size } = book;
  const missing = book.missing();
  expect({ missing, violations, epochs: epochs.length }).toEqual({ missing: [], violations: [], epochs: 1 });
  expect(counters).toMatchObject({ sampled: size, delivered: size, pending: 0, dropped: {} });
  return counters;
}

test("kill -9 of the gateway while sampling, offline and draining to Mosquitto: nothing missing, no reorder, no seq reused", async () => {
  const kills = rounds(500, 8);
  await using broker = await startMosquitto({ persistence: true, global: ["max_queued_messages 0"] });
  await using gateway = createGateway();
  await using book = await keepBook(broker.url, FILTER, "book");
  // So slowly that it is killed while it drains.
  const network = `mqtt: { url: "${broker.url}", drain_rate: 40 }`;
  gateway.configure(configuration(network, "1s"));
  let offline = 0;
  for (let round = 0; round < kills; round++) {
    if (round % 6 === 2) await broker.stop();
    if (round % 6 === 4) await broker.start();
    if (round % 6 === 2 || round % 6 === 3) offline += 1;
    await shortLife(gateway);
    if (round % TOLD_EACH === TOLD_EACH - 1) figures("kill -9 of the gateway, Mosquitto", { kills: round + 1 });
  }
  await broker.stop();
  await broker.start();
  const { sampled } = await settle(gateway, book, network);
  const { duplicates } = book;
  figures("kill -9 of the gateway, Mosquitto", { kills, offline, readings: sampled, lost: 0, reused: 0, duplicates });
});

test("kill -9 of the gateway with its own broker: nothing missing, no reorder, no seq reused", async () => {
  const kills = rounds(500, 7);
  const port = await freePort();
  await using gateway = createGateway();
  const network = `broker: { listeners: [ { port: ${port} } ] }`;
  gateway.configure(configuration(network));
  await gateway.run();
  await using book = await keepBook(`mqtt://127.0.0.1:${port}`, FILTER, "book");
  gateway.configure(configuration(network, "1s"));
  for (let round = 0; round < kills; round++) {
    gateway.signal("SIGKILL");
    await gateway.exited();
    await shortLife(gateway);
    if (round % TOLD_EACH === TOLD_EACH - 1) figures("kill -9 of the gateway, bundled broker", { kills: round + 1 });
  }
  const { sampled } = await settle(gateway, book, network);
  const { duplicates } = book;
  figures("kill -9 of the gateway, bundled broker", { kills, readings: sampled, lost: 0, reused: 0, duplicates });
});
