import type { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { subscribe, type TestBroker } from "../support/broker.ts";
import { type Peer, publishPacket } from "../support/peer.ts";
import { Disk } from "./disk.ts";

const staying = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };

/** The persistence worker of every broker opened from now on. */
function watchWorkers(): { readonly newest: () => Worker; [Symbol.dispose](): void } {
  const workers: Worker[] = [];
  const keep = (worker: Worker) => void workers.push(worker);
  process.on("worker", keep);
  return {
    newest: () => workers.at(-1) as Worker,
    [Symbol.dispose]: () => void process.off("worker", keep),
  };
}

async function acknowledged(peer: Peer, payload: string): Promise<number> {
  peer.send(publishPacket("t", payload, { qos: 1 }));
  return (await peer.nextOf("puback")).reason;
}

/** The broker's time stands still: it is moved on until the worker has answered. */
async function until(broker: TestBroker, isThere: () => boolean): Promise<void> {
  for (let n = 0; n < 2000 && !isThere(); n++) {
    broker.timers.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(isThere()).toBe(true);
}

const countOf = (broker: TestBroker, what: string) => broker.logged.filter(({ message }) => message === what).length;

describe.each([0, 5000])("with a persistence window of %d ms", (windowMs) => {
  test("a persistence worker that died is started again, and nothing that was acknowledged is lost", async () => {
    using disk = new Disk();
    using workers = watchWorkers();
    {
      await using before = await disk.broker(windowMs);
      const away = await before.join("away", 5, staying);
      await subscribe(away, "t", { qos: 1 });
      away.send({ type: "disconnect", reason: 0, properties: {} });
      await away.untilClosed();
      const publisher = await before.join("publisher", 5);
      expect(await acknowledged(publisher, "before")).toBe(0);
      await workers.newest().terminate();
      publisher.send(publishPacket("t", "meanwhile", { qos: 1 }));
      await until(before, () => before.broker.stats().persistenceFault !== undefined);
      expect(before.broker.stats().persistenceFault).toBe("STORE_IO");
      await until(before, () => before.broker.stats().persistenceFault === undefined);
      expect(countOf(before, "the broker's database has a fault")).toBe(1);
      expect(countOf(before, "the broker's database is well again")).toBe(1);
      const another = await before.join("another", 5);
      expect(await acknowledged(another, "after")).toBe(0);
    }
    await using after = await disk.broker(windowMs);
    const away = await after.join("away", 5, staying);
    const received = await away.untilPong();
    expect(received.map((packet) => packet.type === "publish" && packet.payload.toString())).toEqual([
      "before",
      "meanwhile",
      "after",
    ]);
  });
});

test("a persistence worker that dies time and again stays dead, and what cannot be kept is refused", async () => {
  using disk = new Disk();
  using workers = watchWorkers();
  await using only = await disk.broker(0);
  const away = await only.join("away", 5, staying);
  await subscribe(away, "t", { qos: 1 });
  let deaths = 0;
  let killed: Worker | undefined;
  await until(only, () => {
    const worker = workers.newest();
    if (worker !== killed) {
      killed = worker;
      deaths++;
      void worker.terminate();
    }
    return deaths === 6;
  });
  for (let n = 0; n < 100; n++) only.timers.advance(1000);
  expect(workers.newest()).toBe(killed);
  const publisher = await only.join("publisher", 5);
  expect(await acknowledged(publisher, "refused")).toBe(0x97);
});
