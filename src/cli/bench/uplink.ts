import { performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { Board } from "../../core/board.ts";
import { createUplink } from "../../uplink/uplink.ts";
import { scratchBroker, uplinkTo } from "./broker.ts";
import { DEVICE, type Figures, type Measuring, perSecond, sampleReading, scratchStore, silent } from "./measurement.ts";

const BACKLOG = 50_000;
const LOOK_EACH_MS = 20;
const AT_MOST_MS = 20_000;

/** How fast a backlog on the disk goes out to the bundled broker. */
export async function measureUplink(measuring: Measuring): Promise<Figures> {
  const { clock, signal } = measuring;
  await using store = await scratchStore(measuring, "uplink");
  for (let n = 0; n < BACKLOG && !signal.aborted; n++) {
    store.accept(sampleReading(clock, n));
    if (n % 1000 === 0) await turn();
  }
  await store.flush();
  await using _broker = await scratchBroker(measuring, "uplink-broker");
  const gateway = { id: "bench", name: "bench", instance: store.instance, version: "0", host: "", kernel: "" };
  const uplink = createUplink(
    { ...uplinkTo(measuring, "uplink-broker", DEVICE), holdEstimatedMs: 0 },
    {
      store,
      board: new Board(),
      clock,
      random: Math.random,
      log: silent,
      gateway: { ...gateway, broker: "bundled", epoch: store.epoch },
      discovery: () => [],
      subscriptions: [],
    },
  );
  const stop = new AbortController();
  const running = uplink.run(stop.signal);
  try {
    const isUp = () => store.counters().delivered > 0;
    await until(isUp, measuring);
    const [startMs, already] = [performance.now(), store.counters().delivered];
    await until(() => store.counters().pending === 0, measuring);
    const { delivered } = store.counters();
    return { backlog_drained_per_s: perSecond(delivered - already, performance.now() - startMs) };
  } finally {
    stop.abort();
    await running;
  }
}

async function until(condition: () => boolean, { clock, signal }: Measuring): Promise<void> {
  const endMs = performance.now() + AT_MOST_MS;
  while (!condition() && performance.now() < endMs && !signal.aborted) await clock.sleep(LOOK_EACH_MS);
}
