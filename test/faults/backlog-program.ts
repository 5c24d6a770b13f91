import { pathToFileURL } from "node:url";

const built = (file: string) => JSON.stringify(pathToFileURL(`${process.cwd()}/dist/${file}`).href);

/** A look at the process, once for each percent of the readings. */
export interface Look {
  readonly phase: "builds" | "drains";
  readonly readings: number;
  readonly rssBytes: number;
}

export interface End {
  readonly bytesOnDisk: number;
  readonly openedMs: number;
  readonly drainedMs: number;
  readonly counters: { sampled: number; delivered: number; pending: number; dropped: Record<string, number> };
}

/** Arguments: card, staging, readings, broker. Builds the backlog, starts anew, and drains it while sampling goes on. */
export const BACKLOG = `
  import { setTimeout as sleep } from "node:timers/promises";
  import { openStore } from ${built("store/open-store.js")};
  import { createUplink } from ${built("uplink/uplink.js")};
  import { uplinkDefaults } from ${built("uplink/options.js")};
  import { linuxClock } from ${built("hardware/clock.js")};
  import { topicsOf } from ${built("core/topics.js")};
  import { Board } from ${built("core/board.js")};
  const [path, stagingPath, count, url] = process.argv.slice(1);
  const readings = Number(count);
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
  const clock = { ...linuxClock(), syncState: () => "synced" };
  const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
  const look = (phase, done) => say({ phase, readings: done, rssBytes: process.memoryUsage.rss() });
  const open = () => openStore(
    { path, stagingPath, commitWindowMs: 5000, maxBytes: 2 ** 34, whenFull: "drop_oldest" }, { clock, log: quiet });
  let n = 0;
  const reading = () => {
    n++;
    const values = { temperature: 20 + (n % 100) / 10, humidity: 40 + (n % 30), pressure: 1000 + (n % 50) };
    return { kind: "reading", device: "d" + (n % 50), at: { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) }, values };
  };
  const first = await open();
  const monoMs = clock.monoMs();
  first.saveBoot({ boot: clock.bootId(), anchors: [{ monoMs, offsetMs: clock.wallMs() - monoMs }] });
  const percent = Math.ceil(readings / 100);
  while (n < readings) {
    first.accept(reading());
    if (n % 2000 === 0) await first.flush();
    if (n % percent === 0) look("builds", n);
  }
  await first.flush();
  const bytesOnDisk = first.usage().bytes;
  await first[Symbol.asyncDispose]();
  const openMs = performance.now();
  const store = await open();
  const openedMs = performance.now() - openMs;
  const gateway = { id: "gw", name: "gw", instance: store.instance, version: "0", host: "", kernel: "", broker: "external", epoch: store.epoch };
  const uplink = createUplink(
    { ...uplinkDefaults, urls: [url], clientId: "gw", topics: topicsOf("fieldpost", "gw") },
    { store, board: new Board(), clock, random: Math.random, log: quiet, gateway, discovery: () => [], subscriptions: [] });
  const stop = new AbortController();
  const startMs = performance.now();
  const running = uplink.run(stop.signal);
  const sampling = setInterval(() => store.accept(reading()), 200);
  let next = percent;
  while (store.counters().delivered < readings) {
    await sleep(20);
    const { delivered } = store.counters();
    if (delivered < next) continue;
    look("drains", delivered);
    next = delivered + percent;
  }
  const drainedMs = performance.now() - startMs;
  clearInterval(sampling);
  while (store.counters().pending > 0) await sleep(20);
  stop.abort();
  await running;
  say({ bytesOnDisk, openedMs, drainedMs, counters: store.counters() });
  await store[Symbol.asyncDispose]();
  process.exit(0);`;
