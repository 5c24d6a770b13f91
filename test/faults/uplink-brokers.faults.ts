import { expect, test } from "vitest";
import { waitFor } from "../support/mosquitto.ts";
import { type Bench, bench } from "../uplink/bench.ts";
import { answers, CONNECT, polite, type Script, scriptedBroker } from "../uplink/scripted-broker.ts";
import { figures, rounds } from "./campaign.ts";
import { Witness } from "./witness.ts";

const READINGS = rounds(10_000, 1000);
const LONG_MS = 300_000;

interface Outcome {
  readonly connections: number;
  readonly faults: ReturnType<Bench["uplink"]["faults"]>;
}

type Answer = (reading: { id: number; seq: number }, tell: Tell) => void;

interface Tell {
  readonly connection: number;
  /** Takes it, and does not say so. */
  take(): void;
  /** Takes it, and says so. */
  acknowledge(): void;
  refuse(code: number): void;
  disconnect(code?: number): void;
}

/** Lets the uplink deliver all readings to a broker that does as `answer` says, and compares what it took. */
async function deliver(
  title: string,
  answer: Answer,
  without: ReadonlySet<number> = new Set(),
  connack?: Buffer,
): Promise<Outcome> {
  const witness = new Witness();
  const script: Script = polite(({ id, payload }, socket, connection) => {
    if (socket.writableEnded || socket.destroyed) return;
    answer(
      { id, seq: JSON.parse(payload).seq },
      {
        connection,
        take: () => witness.take(payload),
        acknowledge() {
          witness.take(payload);
          socket.write(answers.puback(id));
        },
        refuse: (code) => void socket.write(answers.puback(id, code)),
        disconnect: (code) => void (code === undefined ? socket.destroy() : socket.end(answers.disconnect(code))),
      },
    );
  });
  await using broker = await scriptedBroker((packet, socket, connection) => {
    if (packet.type === CONNECT && connack) socket.write(connack);
    else script(packet, socket, connection);
  });
  await using one = bench({ urls: [broker.url], ackTimeoutMs: 2000 });
  for (let value = 1; value <= READINGS; value++) one.sample("d1", value);
  await waitFor(() => one.store.counters().pending === 0, title, LONG_MS);
  witness.expectAllInOrder(READINGS, without);
  const { delivered, dropped } = one.store.counters();
  expect(delivered).toBe(READINGS - without.size);
  expect(Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(without.size);
  const reconnects = broker.connections() - 1;
  expect(witness.duplicates).toBeLessThanOrEqual(reconnects * 100);
  figures(title, {
    readings: READINGS,
    delivered,
    reconnects,
    duplicates: witness.duplicates,
    set_aside: without.size,
  });
  return { connections: broker.connections(), faults: one.uplink.faults() };
}

test("a broker that never acknowledges is left, again and again, and nothing is missing", async () => {
  const { connections } = await deliver("never acknowledges", (_reading, { connection, acknowledge }) => {
    if (connection > 4) acknowledge();
  });
  // A machine that is busy with other things may make some acknowledgements late.
  expect(connections).toBeGreaterThanOrEqual(5);
});

test("a broker that takes readings and loses its acknowledgements gets a window of them twice each time", async () => {
  await deliver("acknowledgements lost", ({ seq }, { connection, take, acknowledge }) => {
    if (connection > 4 || seq <= connection * (READINGS / 6)) acknowledge();
    else take();
  });
});

test("a slow broker with receive maximum 7 never has more than 7 on the way", async () => {
  let inFlight = 0;
  let most = 0;
  const connack = Buffer.from([0x20, 6, 0, 0, 3, 0x21, 0, 7]);
  const slowly: Answer = (_reading, { acknowledge }) => {
    inFlight++;
    most = Math.max(most, inFlight);
    setTimeout(() => {
      inFlight--;
      acknowledge();
    }, 1);
  };
  await deliver("slow, receive maximum 7", slowly, undefined, connack);
  expect(most).toBeLessThanOrEqual(7);
  expect(most).toBeGreaterThan(1);
  figures("slow, receive maximum 7", { most_in_flight: most });
});

test("a broker over its quota refuses one in two hundred for the moment, and everything comes in order", async () => {
  let refusals = 0;
  let refusedFrom = 0;
  await deliver("quota (PUBACK 0x97)", ({ seq }, { acknowledge, refuse }) => {
    // What follows a refused one is refused too, as a full queue does it, until that one comes again.
    if (refusedFrom > 0 && seq !== refusedFrom) return refuse(0x97);
    if (refusedFrom === 0 && seq % 200 === 0 && refusals++ < READINGS / 200) {
      refusedFrom = seq;
      return refuse(0x97);
    }
    refusedFrom = 0;
    return acknowledge();
  });
});

test.each([
  ["receive maximum exceeded", 0x93],
  ["server busy", 0x89],
  ["connection rate exceeded", 0x9f],
])("a broker that ends the connection (%s) gets everything", async (title, code) => {
  await deliver(`disconnect: ${title}`, ({ seq }, { connection, acknowledge, disconnect }) => {
    if (connection <= 8 && seq > connection * (READINGS / 10)) disconnect(code);
    else acknowledge();
  });
});

test("another client that takes our id over and over makes no war of it", async () => {
  const { connections, faults } = await deliver("take-over", ({ seq }, { connection, acknowledge, disconnect }) => {
    if (connection <= 8 && seq > connection * (READINGS / 10)) disconnect(0x8e);
    else acknowledge();
  });
  expect(connections).toBeGreaterThanOrEqual(9);
  expect(faults).toMatchObject([{ code: "CLIENT_ID_TAKEN" }]);
});

test("messages that the broker refuses, or drops the link over, are set aside and nothing else is", async () => {
  const poison = new Set([17, Math.floor(READINGS / 2), READINGS - 3]);
  const refused = new Set([5, 6, 7, 100]);
  await deliver(
    "poison messages",
    ({ seq }, { acknowledge, refuse, disconnect }) => {
      if (poison.has(seq)) disconnect();
      else if (refused.has(seq)) refuse(0x99);
      else acknowledge();
    },
    new Set([...poison, ...refused]),
  );
});
