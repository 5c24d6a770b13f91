/**
 * The store beside the naive design (a commit for each reading, in the main thread; mqtt.js as it comes), in one run.
 * scripts/bench store [backlog, in readings: 1000000] [directory on the disk to measure]
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { connectAsync } from "mqtt";
import { clockOf, openStore, readings, runUplink } from "./store-parts.ts";
import { type BenchBroker, startBundled, startMosquitto } from "./support/drain-brokers.ts";

const BACKLOG = Number(process.argv[2] ?? 1_000_000);
const isStall = process.argv[2] === "stall";
const place = isStall ? tmpdir() : (process.argv[3] ?? tmpdir());
const say = (text: string) => process.stdout.write(`${text}\n`);
const rate = (count: number, ms: number) => Math.round((count * 1000) / ms);
const written = () => Number(/write_bytes: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
const percentile = (sorted: Float64Array, share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;

const root = mkdtempSync(join(place, "fieldpost-bench-"));
const shm = mkdtempSync("/dev/shm/fieldpost-bench-");
const clock = await clockOf();

/** A commit for each reading, as a first version does it. */
function naiveStore(path: string) {
  mkdirSync(path, { recursive: true });
  const database = new Sqlite(join(path, "naive.db"));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE outbox(seq INTEGER PRIMARY KEY, payload TEXT)");
  const insert = database.prepare("INSERT INTO outbox(payload) VALUES (?)");
  return { put: (reading: object) => insert.run(JSON.stringify(reading)), close: () => database.close() };
}

async function durable(): Promise<void> {
  const count = 200_000;
  const next = readings(clock);
  const store = await openStore(join(root, "durable"), join(shm, "durable"), { maxHeldBytes: 2 ** 30 }, clock);
  const accepts = new Float64Array(count);
  const before = written();
  const startMs = performance.now();
  for (let n = 0; n < count; n++) {
    const reading = next();
    const at = performance.now();
    store.accept(reading);
    accepts[n] = (performance.now() - at) * 1000;
    if (n % 2000 === 1999) await store.flush();
  }
  const ours = rate(count, performance.now() - startMs);
  const bytes = (written() - before) / count;
  await store[Symbol.asyncDispose]();

  const naive = naiveStore(join(root, "naive"));
  const [naiveBefore, naiveMs] = [written(), performance.now()];
  const few = 2000;
  for (let n = 0; n < few; n++) naive.put(next());
  const theirs = rate(few, performance.now() - naiveMs);
  const naiveBytes = (written() - naiveBefore) / few;
  naive.close();
  accepts.sort();
  say(
    `made durable, in groups of 2000   ${ours}/s, ${bytes.toFixed(1)} bytes each | commit for each: ${theirs}/s, ${naiveBytes.toFixed(0)} bytes each | ${Math.round(ours / theirs)} times as many, ${Math.round(naiveBytes / bytes)} times less written`,
  );
  say(
    `accept()                          p50 ${percentile(accepts, 0.5).toFixed(1)} µs, p99 ${percentile(accepts, 0.99).toFixed(1)} µs (goal: p99 <= 50)`,
  );
}

/** In a process of its own, with a card that takes 20 ms for each sync. */
async function stallOf(what: "store" | "naive"): Promise<string> {
  const library = join(shm, "slow-card.so");
  const source = join(import.meta.dirname, "../../../test/support/slow-card.c");
  if (spawnSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"]).status !== 0) return "no compiler";
  const child = spawn(process.execPath, [import.meta.filename, "stall", what, root, shm], {
    env: { ...process.env, LD_PRELOAD: library, SYNC_MS: "20" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once("exit", resolve));
  return text.trim();
}

async function stall(what: string, disk: string, memory: string): Promise<void> {
  const next = readings(clock);
  const store =
    what === "store"
      ? await openStore(join(disk, "stall"), join(memory, "stall"), { commitWindowMs: 500 }, clock)
      : undefined;
  const naive = store ? undefined : naiveStore(join(disk, "stall-naive"));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (const endMs = performance.now() + 15_000; performance.now() < endMs; await sleep(20)) {
    for (let n = 0; n < 4; n++) {
      if (store) store.accept(next());
      else naive?.put(next());
    }
  }
  delay.disable();
  process.stdout.write(`p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`);
  process.exit(0);
}

const rssMb = () => Math.round(process.memoryUsage.rss() / 1e6);

/** A store with the backlog on the disk, stopped. */
async function backlog(next: () => object, name: string): Promise<void> {
  const store = await openStore(join(root, name), join(shm, name), { maxHeldBytes: 2 ** 30 }, clock);
  for (let n = 1; n <= BACKLOG; n++) {
    store.accept(next());
    if (n % 5000 === 0) await store.flush();
  }
  await store.flush();
  await store[Symbol.asyncDispose]();
}

/** Empties it while sampling goes on, and says how. */
async function drained(next: () => object, name: string, broker: BenchBroker): Promise<void> {
  const openMs = performance.now();
  const store = await openStore(join(root, name), join(shm, name), {}, clock);
  const openedMs = Math.round(performance.now() - openMs);
  const onDisk = (store.usage().bytes / 1e6).toFixed(1);
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const stop = new AbortController();
  let most = 0;
  let sampled = 0;
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  delays.enable();
  const running = runUplink(store, broker.url, clock, stop.signal);
  const sampling = setInterval(() => {
    store.accept(next());
    sampled += 1;
  }, 20);
  while (store.counters().delivered < BACKLOG) {
    await sleep(50);
    most = Math.max(most, rssMb());
  }
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  clearInterval(sampling);
  stop.abort();
  await running;
  await store[Symbol.asyncDispose]();
  const plain = await naiveDrain(broker.url);
  say(
    `${`${BACKLOG} to ${broker.name}`.padEnd(33)} ${onDisk} MB on the disk, opened in ${openedMs} ms; ${(ms / 1000).toFixed(1)} s, ${rate(BACKLOG, ms)}/s while ${sampled} more were sampled, ${((user + system) / BACKLOG).toFixed(1)} µs of CPU each, event loop p99 ${(delays.percentile(99) / 1e6).toFixed(1)} ms, memory at most ${most} MB`,
  );
  say(
    `${"   default mqtt.js, no store".padEnd(33)} a thousand at a time ${plain.many}/s, ${plain.cpuUs.toFixed(1)} µs of CPU each; one after the other ${plain.single}/s | ${(rate(BACKLOG, ms) / plain.many).toFixed(2)} and ${(rate(BACKLOG, ms) / plain.single).toFixed(1)} times as fast`,
  );
}

/** What mqtt.js does as it comes: awaiting each message, and handed a thousand at a time. */
async function naiveDrain(url: string): Promise<{ single: number; many: number; cpuUs: number }> {
  const few = Math.min(BACKLOG, 20_000);
  const lots = Math.min(BACKLOG, 100_000);
  const next = readings(clock);
  const client = await connectAsync(url);
  const publish = () => client.publishAsync("fieldpost/bench/d/readings", JSON.stringify(next()), { qos: 1 });
  const singleMs = performance.now();
  for (let n = 0; n < few; n++) await publish();
  const single = rate(few, performance.now() - singleMs);
  const [manyMs, cpu] = [performance.now(), process.cpuUsage()];
  // Above 65,535 its packet ids run out.
  for (let n = 0; n < lots; n += 1000) await Promise.all(Array.from({ length: 1000 }, publish));
  const many = rate(lots, performance.now() - manyMs);
  const { user, system } = process.cpuUsage(cpu);
  await client.endAsync(true);
  return { single, many, cpuUs: (user + system) / lots };
}

async function drain(): Promise<void> {
  const next = readings(clock);
  for (const start of [startMosquitto, startBundled]) {
    const name = start.name;
    await backlog(next, name);
    await using broker = await start(shm);
    await drained(next, name, broker);
  }
}

if (isStall) await stall(process.argv[3] ?? "", process.argv[4] ?? "", process.argv[5] ?? "");
try {
  await durable();
  say(
    `event loop with 20 ms syncs       ${await stallOf("store")} (goal: <= 20) | commit for each: ${await stallOf("naive")}`,
  );
  await drain();
} finally {
  rmSync(root, { recursive: true, force: true });
  rmSync(shm, { recursive: true, force: true });
}
process.exit(0);
