/**
 * The store beside the naive design (a commit for each reading, in the main thread; mqtt.js as it comes), in one run.
 * scripts/bench store [backlog, in readings: 1000000] [directory on the disk to measure]
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { connectAsync } from "mqtt";
import { clockOf, openStore, readings, runUplink } from "./store-parts.ts";

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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

/** Debian's broker, without limits of its own on what is queued. */
async function withMosquitto<T>(work: (url: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const file = join(shm, "mosquitto.conf");
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nset_tcp_nodelay true\n`,
  );
  const broker = spawn("mosquitto", ["-c", file], {
    stdio: "ignore",
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  try {
    for (let n = 0; ; n++) {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 }).catch(() => undefined);
      await client?.endAsync();
      if (client) break;
      if (n > 100) throw new Error("mosquitto does not answer");
      await sleep(50);
    }
    return await work(`mqtt://127.0.0.1:${port}`);
  } finally {
    broker.kill();
  }
}

const rssMb = () => Math.round(process.memoryUsage.rss() / 1e6);

async function drain(): Promise<void> {
  const next = readings(clock);
  const path = join(root, "backlog");
  const staging = join(shm, "backlog");
  const first = await openStore(path, staging, { maxHeldBytes: 2 ** 30 }, clock);
  let most = 0;
  for (let n = 1; n <= BACKLOG; n++) {
    first.accept(next());
    if (n % 5000 === 0) await first.flush();
    if (n % 100_000 === 0) most = Math.max(most, rssMb());
  }
  await first.flush();
  const bytes = first.usage().bytes;
  await first[Symbol.asyncDispose]();
  const openMs = performance.now();
  const store = await openStore(path, staging, {}, clock);
  const started = performance.now() - openMs;
  say(
    `a backlog of ${BACKLOG}             ${(bytes / 1e6).toFixed(1)} MB on the disk, opened in ${Math.round(started)} ms, memory at most ${most} MB while it grew`,
  );

  most = 0;
  const { ms, sampled } = await withMosquitto(async (url) => {
    const stop = new AbortController();
    const startMs = performance.now();
    const running = runUplink(store, url, clock, stop.signal);
    let count = 0;
    const sampling = setInterval(() => {
      store.accept(next());
      count += 1;
    }, 20);
    while (store.counters().delivered < BACKLOG) {
      await sleep(50);
      most = Math.max(most, rssMb());
    }
    const took = performance.now() - startMs;
    clearInterval(sampling);
    stop.abort();
    await running;
    return { ms: took, sampled: count };
  });
  await store[Symbol.asyncDispose]();
  const few = Math.min(BACKLOG, 50_000);
  const naiveMs = await withMosquitto(async (url) => {
    const client = await connectAsync(url);
    const startMs = performance.now();
    for (let n = 0; n < few; n++)
      await client.publishAsync("fieldpost/bench/d/readings", JSON.stringify(next()), { qos: 1 });
    const took = performance.now() - startMs;
    await client.endAsync();
    return took;
  });
  say(
    `drained to Mosquitto              ${rate(BACKLOG, ms)}/s, ${(ms / 1000).toFixed(1)} s while ${sampled} more were sampled, memory at most ${most} MB | one after the other with mqtt.js: ${rate(few, naiveMs)}/s`,
  );
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
