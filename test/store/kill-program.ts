import { pathToFileURL } from "node:url";

const built = (file: string) => JSON.stringify(pathToFileURL(`${process.cwd()}/dist/${file}`).href);

/**
 * What a life is busy with when it is killed. `sampling`: delivering what it takes. `offline`: delivering nothing.
 * `draining`: delivering what waits, window by window, and sampling on. `migrating`: with a database of the first schema,
 * killed while it opens.
 */
export type Phase = "sampling" | "offline" | "draining" | "migrating";

export interface Line {
  readonly starting?: true;
  readonly found?: ReadonlyArray<readonly [epoch: number, seq: number, n: number]>;
  readonly counters?: { sampled: number; delivered: number; pending: number; dropped: Record<string, number> };
  readonly accepted?: readonly [epoch: number, seq: number, n: number];
  readonly acknowledging?: readonly [epoch: number, seq: number];
}

/** Arguments: card, staging, phase, first number. Says what it found, then what it does, each before the next step. */
export const GATEWAY = `
  import { writeSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  import { openStore } from ${built("store/open-store.js")};
  import { linuxClock } from ${built("hardware/clock.js")};
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
  const [path, stagingPath, phase, first] = process.argv.slice(1);
  const clock = linuxClock();
  const say = (line) => {
    const bytes = Buffer.from(JSON.stringify(line) + "\\n");
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(1, bytes, at);
      } catch (error) {
        // The other end reads late, on a busy machine.
        if (error.code !== "EAGAIN") throw error;
      }
    }
  };
  say({ starting: true });
  const store = await openStore(
    { path, stagingPath, commitWindowMs: 300, maxBytes: 2 ** 30, whenFull: "drop_oldest" }, { clock, log: quiet });
  const { outbox } = store;
  const found = [];
  for (let position = outbox.cursor("mqtt"); ; position = found.at(-1).position) {
    const some = await outbox.after(position, 500);
    found.push(...some);
    if (some.length === 0) break;
  }
  say({ found: found.map(({ epoch, seq, record }) => [epoch, seq, record.values.n]), counters: store.counters() });
  let n = Number(first);
  const take = () => {
    const at = { boot: clock.bootId(), monoMs: clock.monoMs() };
    const stored = store.accept({ kind: "reading", device: "d", at, values: { n } });
    say({ accepted: [stored.epoch, stored.seq, n] });
    n++;
    return stored;
  };
  const acknowledge = ({ epoch, seq, position }) => {
    say({ acknowledging: [epoch, seq] });
    outbox.acknowledge("mqtt", position);
  };
  const sampling = async () => {
    for (;;) {
      const stored = take();
      const back = (n % 7) * 10;
      if (n % 50 === 0 && stored.seq > back)
        acknowledge({ ...stored, seq: stored.seq - back, position: stored.position - back });
      if (n % 5 === 0) await sleep(n % 3);
    }
  };
  const offline = async () => {
    for (;;) {
      take();
      if (n % 5 === 0) await sleep(n % 3);
    }
  };
  const drain = async () => {
    for (;;) {
      const window = await outbox.after(outbox.cursor("mqtt"), 20);
      for (const stored of window.filter((_, index) => index % 7 === 6 || index === window.length - 1)) {
        await sleep(1);
        acknowledge(stored);
      }
      if (window.length === 0) await sleep(5);
    }
  };
  if (phase === "draining") await Promise.all([offline(), drain()]);
  else await (phase === "offline" ? offline() : sampling());`;
