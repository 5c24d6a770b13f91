import { afterAll, beforeAll, expect, test } from "vitest";
import { type Book, keepBook } from "../support/book.ts";
import { type Mosquitto, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { configuration, devices, topic } from "./bench.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { attempt, powerCycle, run, virtualPi, wire } from "./guest.ts";
import { bosch280, mild } from "./sensors.ts";

const CUTS = Number(process.env.VPI_CUTS ?? 20);
const STORE = "/home/pi/data-cuts";
const CONFIG = "/home/pi/bench.yaml";
/** The commit window, a tick, and a sync of an emulated disk. */
const DURABLE_AFTER_S = 10;
const CAUGHT_UP_MS = 180_000;

interface Counters {
  readonly sampled: number;
  readonly delivered: number;
  readonly pending: number;
  readonly dropped: Readonly<Record<string, number>>;
}

let broker: Mosquitto;
let book: Book;
let gateway: Gateway | undefined;

/** By the gateway's own word, asked over a cable that is never unplugged. */
async function counters(): Promise<Counters> {
  const { stdout } = await attempt(
    `cd /home/pi/fieldpost && runuser -u pi -- node dist/main.js status --json --config ${CONFIG}`,
  );
  return JSON.parse(stdout).counters;
}

async function start(keepStore: boolean): Promise<void> {
  await wire({ "76": bosch280("60", mild) });
  const mqtt = { url: `mqtt://host:${broker.port}`, keep_alive: "5s" };
  const wanted = devices
    .filter(({ id }) => id === "climate" || id === "door")
    .map((device) => ({ ...device, interval: "1s" }));
  gateway = await startGateway(configuration(STORE, { mqtt }, wanted), { keepStore });
}

beforeAll(async () => {
  broker = await startMosquitto({ persistence: true, global: ["max_queued_messages 0"] });
  book = await keepBook(broker.url, topic("+/readings"), "book");
  await powerCycle({ VPI_HOST_PORTS: String(broker.port) });
});

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await book?.[Symbol.asyncDispose]();
  await broker?.[Symbol.asyncDispose]();
  await powerCycle();
});

test(
  `${CUTS} power cuts, online and with the cable pulled: nothing that was older than the window is missing, no seq comes twice`,
  async () => {
    await start(false);
    let durable = 0;
    const arrivals = () => book.size + book.duplicates;
    let base = { arrivals: 0, delivered: 0 };
    for (let cut = 0; cut < CUTS; cut++) {
      const unplugged = cut % 2 === 1;
      if (unplugged) await virtualPi(["link", "down"]);
      await run(`sleep ${1 + Math.round(Math.random() * 4)}`);
      const taken = await counters();
      durable = taken.sampled;
      await run(`sleep ${DURABLE_AFTER_S}`);
      const dying = gateway;
      await powerCycle({ VPI_HOST_PORTS: String(broker.port) });
      await dying?.[Symbol.asyncDispose]();
      await start(true);
      const found = await counters();
      const dropped = Object.entries(found.dropped).filter(([reason]) => reason !== "power_cut");
      // What is delivered in time is never written, nor counted on the disk: the book has it.
      if (unplugged)
        expect(found.sampled, `cut ${cut}: what was taken before the window`).toBeGreaterThanOrEqual(durable);
      const came = arrivals() - base.arrivals;
      expect(came, `cut ${cut}: what the broker acknowledged`).toBeGreaterThanOrEqual(taken.delivered - base.delivered);
      expect(dropped).toEqual([]);
      expect(book.violations).toEqual([]);
      base = { arrivals: arrivals(), delivered: (await counters()).delivered };
    }
    await waitFor(async () => (await counters()).pending < 10, "the backlog", CAUGHT_UP_MS);
    await gateway?.stop();
    await waitFor(
      () => book.missing().length === 0,
      `nothing missing, but ${book.missing().slice(0, 5)}`,
      CAUGHT_UP_MS,
    );
    expect(book.violations).toEqual([]);
    expect(book.epochs).toHaveLength(CUTS + 1);
    expect(book.size).toBeGreaterThanOrEqual(durable);
    process.stderr.write(
      `figures: power cuts in the virtual Pi: cuts ${CUTS}, readings ${book.size}, missing 0, reused 0, duplicates ${book.duplicates}\n`,
    );
  },
  CUTS * 400_000 + 600_000,
);
