import { readFileSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { setImmediate as turn } from "node:timers/promises";
import type { Store } from "../../store/store.ts";
import { type Figures, type Measuring, percentile, perSecond, sampleReading, scratchStore } from "./measurement.ts";

const ACCEPTS = 20_000;
const PHASE_MS = 3000;
/** Five readings a second in a window of five seconds. */
const READINGS_A_WINDOW = 25;
const WINDOWS = 100;
const GROUP = 100;
const STALL_RESOLUTION_MS = 1;
const COMMIT_EACH_MS = 100;

/** How fast, and at what cost, readings become durable on this disk. */
export async function measureStore(measuring: Measuring): Promise<Figures> {
  await using store = await scratchStore(measuring, "store");
  const acceptUs = await acceptTimesUs(store, measuring);
  await store.flush();
  const bytes = await bytesAReading(store, measuring);
  const grouped = await durableRate(store, GROUP, measuring);
  const single = await durableRate(store, 1, measuring);
  const stallMs = await stallP99Ms(store, measuring);
  return {
    accept_p99_us: Math.round(percentile(acceptUs, 0.99) * 10) / 10,
    ...(bytes !== undefined && { written_per_reading_bytes: bytes }),
    durable_in_groups_of_100_per_s: grouped,
    durable_one_by_one_per_s: single,
    event_loop_stall_p99_ms: stallMs,
  };
}

async function acceptTimesUs(store: Store, { clock, signal }: Measuring): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < ACCEPTS && !signal.aborted; n++) {
    const record = sampleReading(clock, n);
    const startMs = performance.now();
    store.accept(record);
    times.push((performance.now() - startMs) * 1000);
    if (n % GROUP === 0) await turn();
  }
  return times;
}

/** What the kernel was given to write for the disk; undefined where it does not tell (/proc/self/io, proc(5)). */
async function bytesAReading(store: Store, measuring: Measuring): Promise<number | undefined> {
  const before = writtenBytes();
  let readings = 0;
  for (let window = 0; window < WINDOWS && !measuring.signal.aborted; window++) {
    readings += take(store, READINGS_A_WINDOW, measuring);
    await store.flush();
  }
  const after = writtenBytes();
  return before === undefined || after === undefined ? undefined : Math.round((after - before) / readings);
}

function writtenBytes(): number | undefined {
  try {
    const [, bytes] = /^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8")) ?? [];
    return bytes === undefined ? undefined : Number(bytes);
  } catch {
    return undefined;
  }
}

async function durableRate(store: Store, group: number, measuring: Measuring): Promise<number> {
  const startMs = performance.now();
  let readings = 0;
  while (performance.now() - startMs < PHASE_MS && !measuring.signal.aborted) {
    readings += take(store, group, measuring);
    await store.flush();
  }
  return perSecond(readings, performance.now() - startMs);
}

/** How long the event loop is held up while the disk is written all the time. */
async function stallP99Ms(store: Store, measuring: Measuring): Promise<number> {
  const { clock, signal } = measuring;
  const delays = monitorEventLoopDelay({ resolution: STALL_RESOLUTION_MS });
  delays.enable();
  const endMs = performance.now() + PHASE_MS;
  while (performance.now() < endMs && !signal.aborted) {
    take(store, GROUP, measuring);
    await store.flush();
    await clock.sleep(COMMIT_EACH_MS);
  }
  delays.disable();
  return Math.max(0, Math.round((delays.percentile(99) / 1e6 - STALL_RESOLUTION_MS) * 10) / 10);
}

function take(store: Store, readings: number, { clock }: Measuring): number {
  for (let n = 0; n < readings; n++) store.accept(sampleReading(clock, n));
  return readings;
}
