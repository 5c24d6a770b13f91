import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer } from "node:net";
import { expect, test } from "vitest";
import { collect, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";

const READINGS = 3000;
const WINDOW = 20;
const CUTS = 12;

/** A line to the broker that breaks after some more bytes each time, in the middle of whatever is on it. */
async function badLine(port: number) {
  let connections = 0;
  const server = createServer((near) => {
    const cutAfter = connections++ < CUTS ? 3000 + ((connections * 7919) % 20_000) : Number.POSITIVE_INFINITY;
    const far = connectTcp(port, "127.0.0.1");
    let passed = 0;
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    near.on("data", (chunk) => {
      passed += chunk.length;
      if (passed > cutAfter) cut();
      else far.write(chunk);
    });
    far.on("data", (chunk) => near.write(chunk));
    for (const socket of [near, far]) socket.on("error", cut).on("close", cut);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

test("over a line that keeps breaking nothing is lost or set aside, nothing overtakes, and each break repeats a window at most", async () => {
  await using broker = await startMosquitto({ global: ["max_queued_messages 0", "max_inflight_messages 0"] });
  await using line = await badLine(broker.port);
  const { readings } = topics.device("d1");
  await using collector = await collect(broker.port, readings);
  await using one = bench({ urls: [`mqtt://127.0.0.1:${line.port}`], window: WINDOW });
  for (let value = 1; value <= READINGS; value++) one.sample("d1", value);
  await waitFor(() => one.store.counters().pending === 0, "everything delivered", 18_000);
  const seqs = () => collector.on(readings).map((payload) => JSON.parse(payload).seq as number);
  await waitFor(() => new Set(seqs()).size === READINGS);
  expect([...new Set(seqs())]).toEqual(Array.from({ length: READINGS }, (_, index) => index + 1));
  expect(seqs().length - READINGS).toBeLessThanOrEqual(CUTS * WINDOW);
  expect(line.connections()).toBe(CUTS + 1);
  expect(one.store.counters().dropped).toEqual({});
});
