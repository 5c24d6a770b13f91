import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const built = (file: string) => JSON.stringify(pathToFileURL(`${process.cwd()}/dist/${file}`).href);

/** Accepts 200 readings a second and says once in 100 ms how things stand; reads everything when it is told to stop. */
const PROGRAM = `
  import { openStore } from ${built("store/open-store.js")};
  import { linuxClock } from ${built("hardware/clock.js")};
  const quiet = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
  const [path, stagingPath, maxHeldBytes] = process.argv.slice(1);
  const clock = linuxClock();
  const store = await openStore(
    { path, stagingPath, commitWindowMs: 500, maxBytes: 2 ** 30, whenFull: "drop_oldest", maxHeldBytes: Number(maxHeldBytes) },
    { clock, log: quiet });
  let n = 0, slowestUs = 0, stallMs = 0, last = performance.now();
  const timer = setInterval(() => {
    const at = { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) };
    const before = performance.now();
    stallMs = Math.max(stallMs, before - last - 25);
    for (let k = 0; k < 5; k++) {
      const started = process.hrtime.bigint();
      store.accept({ kind: "reading", device: "d", at, values: { n: ++n, text: String(Math.sin(n)).repeat(4) } });
      slowestUs = Math.max(slowestUs, Number(process.hrtime.bigint() - started) / 1000);
    }
    last = before;
  }, 25);
  const say = (more) => process.stdout.write(JSON.stringify({
    n, slowestUs: Math.round(slowestUs), stallMs: Math.round(stallMs), counters: store.counters(),
    faults: store.faults().map(({ code }) => code), ...more }) + "\\n");
  const report = setInterval(() => say({}), 100);
  process.on("SIGTERM", async () => {
    clearInterval(timer); clearInterval(report);
    const found = [];
    for (let position = store.outbox.cursor("mqtt"); ; position = found.at(-1).position) {
      const some = await store.outbox.after(position, 500);
      found.push(...some);
      if (some.length === 0) break;
    }
    say({ found: found.map(({ record }) => record.values.n) });
    process.exit(0);
  });`;

export interface StoreNow {
  readonly n: number;
  readonly slowestUs: number;
  /** The longest that the event loop was away. */
  readonly stallMs: number;
  readonly counters: { sampled: number; delivered: number; pending: number; dropped: Record<string, number> };
  readonly faults: readonly string[];
  readonly found?: readonly number[];
}

/** A store in a process of its own, under load. */
export class StoreProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  #now: StoreNow | undefined;
  #waiting: Array<() => void> = [];

  constructor(path: string, staging: string, env: NodeJS.ProcessEnv = {}, maxHeldBytes = 16 * 1024 * 1024) {
    const args = ["--input-type=module", "-e", PROGRAM, path, staging, String(maxHeldBytes)];
    this.#child = spawn(process.execPath, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (!this.#child.stdout) throw new Error("no output");
    createInterface(this.#child.stdout).on("line", (line) => {
      this.#now = JSON.parse(line);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.#child.once("exit", () => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** The first report of which `condition` is true. */
  async until(condition: (now: StoreNow) => boolean, withinMs = 180_000): Promise<StoreNow> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      if (this.#now && condition(this.#now)) return this.#now;
      if (this.#child.exitCode !== null) throw new Error(`the store ended with ${this.#child.exitCode}`);
      if (performance.now() > endMs) throw new Error(`it did not come: ${JSON.stringify(this.#now)}`);
    }
  }

  /** Everything that waits, at the end. */
  async stop(): Promise<StoreNow> {
    const last = this.until(({ found }) => found !== undefined);
    this.#child.kill("SIGTERM");
    return await last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}
