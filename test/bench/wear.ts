/**
 * What a gateway with 50 channels, each read every 10 s, writes to its card in a day: the store while the broker
 * acknowledges, while it is away, and a commit for each reading. On an ext4 of its own, on a loop device, whose counters
 * are read; needs root.   scripts/bench wear [seconds for each: 120]
 *
 * Time runs five times as fast as it does, and ext4's own commits come each second instead of each fifth (mount option
 * commit=1), so that both keep their proportion. The WAL is warmed up first: it is written over, as it is from ten minutes
 * after a start on. While it still grows, each sync moves its size too, and ext4 writes twice as much.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Sqlite from "better-sqlite3";
import { type BenchClock, clockOf, openStore, readings } from "./store-parts.ts";
import { type Card, makeCard } from "./support/card.ts";

const SECONDS = Number(process.argv[2] ?? 120);
const SPEED = 5;
const READINGS_PER_S = 5;
const DAY_S = 86_400;
const WARM_UP_COMMITS = 420;
/** SQLite works its WAL in after 1000 pages. */
const NAIVE_WARM_UP_COMMITS = 1200;
const QUICK = "noatime,commit=1";

const root = mkdtempSync("/dev/shm/fieldpost-wear-");
const real = await clockOf();
const clock: BenchClock = {
  ...real,
  monoMs: () => real.monoMs() * SPEED,
  sleep: (ms, signal) => real.sleep(ms / SPEED, signal),
};

/** Calls `put` as often as readings come, and says what the card was written meanwhile. */
async function measure(title: string, goal: string, on: Card, put: () => void): Promise<number> {
  execFileSync("sync", ["-f", on.mount]);
  await sleep(3000);
  const before = on.written();
  const startMs = performance.now();
  for (let n = 1; performance.now() - startMs < SECONDS * 1000; n++) {
    put();
    const dueMs = startMs + (n * 1000) / (READINGS_PER_S * SPEED);
    await sleep(Math.max(0, dueMs - performance.now()));
  }
  const after = on.written();
  const seconds = ((performance.now() - startMs) / 1000) * SPEED;
  const perDay = ((after.bytes - before.bytes) / seconds) * DAY_S;
  const flushes = (after.flushes - before.flushes) / seconds;
  process.stdout.write(
    `${title.padEnd(26)} ${(perDay / 1e6).toFixed(1).padStart(8)} MB a day, ${flushes.toFixed(2)} flushes/s${goal}\n`,
  );
  return perDay;
}

async function ours(title: string, goal: string, isOnline: boolean): Promise<number> {
  using on = makeCard(root, isOnline ? "online" : "offline", QUICK);
  const next = readings(clock);
  const store = await openStore(join(on.mount, "store"), join(root, `shm-${title}`), {}, clock);
  // None of these may be delivered: their deletion would be measured, too. While the broker is there nothing is written.
  for (let batch = 0; batch < (isOnline ? 0 : WARM_UP_COMMITS); batch++) {
    for (let n = 0; n < 25; n++) store.accept(next());
    await store.flush();
  }
  const perDay = await measure(title, goal, on, () => {
    const position = store.accept(next())?.position ?? 0;
    if (isOnline) setTimeout(() => store.outbox.acknowledge("mqtt", position), 200 / SPEED);
  });
  await store[Symbol.asyncDispose]();
  return perDay;
}

async function naive(): Promise<number> {
  using on = makeCard(root, "naive", QUICK);
  const next = readings(clock);
  const database = new Sqlite(join(on.mount, "naive.db"));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE outbox(seq INTEGER PRIMARY KEY, payload TEXT)");
  const insert = database.prepare("INSERT INTO outbox(payload) VALUES (?)");
  for (let n = 0; n < NAIVE_WARM_UP_COMMITS; n++) insert.run(JSON.stringify(next()));
  const perDay = await measure("a commit for each reading", "", on, () => insert.run(JSON.stringify(next())));
  database.close();
  return perDay;
}

try {
  const online = await ours("broker there", " (goals: <= 5 MB, <= 0.45)", true);
  const offline = await ours("broker away", " (goals: <= 320 MB, <= 0.45)", false);
  const other = await naive();
  process.stdout.write(
    `less than with a commit for each: ${Math.round(other / online)} and ${Math.round(other / offline)} times\n`,
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.exit(0);
