import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { Machine, pendingOf } from "../store/fixture.ts";
import { figures, rounds } from "./campaign.ts";
import { CutDisk, canCutPower, type DiskEvent } from "./cut-disk.ts";

const WINDOW_MS = 250;
const built = (file: string) => JSON.stringify(pathToFileURL(`${process.cwd()}/dist/${file}`).href);

/**
 * Accepts, flushes and acknowledges, on a clock that runs 40 times too fast, so that housekeeping comes often; notes with
 * the time what it accepted (A), what flush() promised (D) and what it is about to acknowledge (K).
 */
const WRITER = `
  import { openSync, writeSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  import { openStore } from ${built("store/open-store.js")};
  import { linuxClock } from ${built("hardware/clock.js")};
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
  const [path, stagingPath, marks, seconds] = process.argv.slice(1);
  const fd = openSync(marks, "w");
  const mark = (what, n) => writeSync(fd, what + " " + n + " " + process.hrtime.bigint() + "\\n");
  const real = linuxClock();
  const SPEED = 40;
  const clock = {
    wallMs: () => real.wallMs(), bootId: () => real.bootId(), syncState: () => "synced",
    monoMs: () => real.monoMs() * SPEED, sleep: (ms, signal) => real.sleep(ms / SPEED, signal),
  };
  const store = await openStore(
    { path, stagingPath, commitWindowMs: ${WINDOW_MS} * SPEED, maxBytes: 2 ** 30, whenFull: "drop_oldest" }, { clock, log: quiet });
  mark("E", store.epoch);
  const end = Date.now() + seconds * 1000;
  for (let n = 1, turn = 1; Date.now() < end; turn++) {
    for (let k = 0; k <= turn % 6; k++, n++) {
      const at = { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) };
      store.accept({ kind: "reading", device: "d" + (n % 9), at, values: { n, text: String(n * 7919).repeat(5) } });
      mark("A", n);
    }
    if (turn % 7 === 0) { const upTo = n - 1; await store.flush(); mark("D", upTo); }
    if (turn % 11 === 0 && n > 200) { mark("K", n - 150); store.outbox.acknowledge("mqtt", n - 150); }
    await sleep(10);
  }
  process.exit(0);`;

interface Marks {
  readonly epoch: number;
  readonly startNs: bigint;
  readonly marks: ReadonlyArray<{ readonly what: string; readonly n: number; readonly ns: bigint }>;
}

async function write(disk: CutDisk, seconds: number, env: NodeJS.ProcessEnv): Promise<Marks & { events: DiskEvent[] }> {
  const marks = join(disk.directory, "marks");
  const events = await disk.record(async (mount) => {
    const staging = join(disk.directory, "staging");
    const args = ["--input-type=module", "-e", WRITER, join(mount, "store"), staging, marks, String(seconds)];
    const child = spawn(process.execPath, args, { stdio: "inherit", env: { ...process.env, ...env } });
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
  });
  const lines = readFileSync(marks, "utf8").trim().split("\n");
  const all = lines.map((line) => {
    const [what = "", n, ns = "0"] = line.split(" ");
    return { what, n: Number(n), ns: BigInt(ns) };
  });
  return { events, epoch: all[0]?.n ?? 0, startNs: all[0]?.ns ?? 0n, marks: all };
}

interface Sum {
  states: number;
  torn: number;
  damaged: number;
  "durable lost": number;
  "seq reused": number;
  "most lost, ms": number;
  "most lost, records": number;
}

/** `modes`: nothing of what was not flushed, all of it, any of it, any of it and torn. */
function survivor(mode: number, sum: Sum): (event: DiskEvent) => Buffer | undefined {
  return ({ bytes }) => {
    if (!bytes || mode === 0) return undefined;
    if (mode === 1) return bytes;
    if (Math.random() < 0.5) return undefined;
    if (mode === 2 || Math.random() > 0.3) return bytes;
    sum.torn += 1;
    return bytes.subarray(0, 512 * Math.floor(Math.random() * (bytes.length / 512)));
  };
}

async function cut(disk: CutDisk, states: number, seconds: number, isControl: boolean): Promise<Sum> {
  const env = isControl ? { LD_PRELOAD: disk.noSync } : {};
  const { events, epoch, startNs, marks } = await write(disk, seconds, env);
  const sum: Sum = {
    states: 0,
    torn: 0,
    damaged: 0,
    "durable lost": 0,
    "seq reused": 0,
    "most lost, ms": 0,
    "most lost, records": 0,
  };
  const first = events.findIndex(({ ns }) => ns > startNs);
  const cuts = Array.from({ length: states }, () => first + Math.floor(Math.random() * (events.length - first)));
  for (const [index, at] of cuts.sort((a, b) => a - b).entries()) {
    const ns = events[at]?.ns ?? 0n;
    const last = (what: string) => marks.findLast((mark) => mark.what === what && mark.ns < ns)?.n ?? 0;
    sum.states += 1;
    const look = async (mount: string) => {
      using machine = new Machine();
      machine.path = join(mount, "store");
      const store = await machine.open();
      try {
        if (store.faults().some(({ code }) => code === "STORE_CORRUPT")) sum.damaged += 1;
        const found = await pendingOf(store, 500);
        const there = new Map(found.map((stored) => [Number(stored.record.values.n), stored]));
        const [accepted, durable, acknowledged] = [last("A"), last("D"), last("K")];
        for (let n = acknowledged + 1; n <= durable; n++) if (!there.has(n)) sum["durable lost"] += 1;
        const isRight = found.every((stored) => stored.epoch === epoch && stored.seq === stored.record.values.n);
        if (!isRight || store.epoch <= epoch) sum["seq reused"] += 1;
        const newest = Math.max(durable, acknowledged, ...there.keys());
        const lost = marks.find((mark) => mark.what === "A" && mark.n === newest + 1 && mark.ns < ns);
        if (lost) sum["most lost, ms"] = Math.max(sum["most lost, ms"], Math.round(Number(ns - lost.ns) / 1e6));
        sum["most lost, records"] = Math.max(sum["most lost, records"], accepted - newest);
        const { sampled, delivered, pending, dropped } = store.counters();
        const gone = Object.values(dropped).reduce((total, count) => total + count, 0);
        expect(sampled).toBe(delivered + pending + gone);
      } finally {
        await store[Symbol.asyncDispose]();
      }
    };
    await disk.after(events, at, survivor(index % 4, sum), look).catch((error: unknown) => {
      // Without syncs nothing can be expected, not even a file system that can be mounted.
      if (!isControl) throw error;
      sum.damaged += 1;
    });
  }
  return sum;
}

test.runIf(canCutPower())(
  "a power cut loses nothing that was durable and damages nothing, whatever order the disk writes in",
  async () => {
    using disk = new CutDisk();
    const sum = await cut(disk, rounds(1000, 24), rounds(40, 8), false);
    figures("power cuts of the store", { ...sum, "window, ms": WINDOW_MS });
    expect(sum).toMatchObject({ damaged: 0, "durable lost": 0, "seq reused": 0 });
  },
);

test.runIf(canCutPower())("the same without syncs is noticed: what this campaign promises, it can tell", async () => {
  using disk = new CutDisk();
  const sum = await cut(disk, rounds(200, 24), 8, true);
  figures("power cuts of the store that does not sync (control)", { ...sum });
  expect(sum["durable lost"] + sum.damaged).toBeGreaterThan(0);
});
