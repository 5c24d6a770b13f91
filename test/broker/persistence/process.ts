import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAIN = join(import.meta.dirname, "../../../dist/main.js");

/** `fieldpost broker` as a process, on a store of its own that outlives it. */
export class BrokerProcess implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "fieldpost-broker-"));
  readonly store: string;
  readonly #config = join(this.directory, "broker.yaml");
  readonly #runtime = mkdtempSync("/dev/shm/fieldpost-broker-");
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  port = 0;
  errors = "";

  constructor(window: string, env: NodeJS.ProcessEnv = {}, store?: string) {
    this.store = store ?? join(this.directory, "store");
    this.#env = { ...process.env, ...env, RUNTIME_DIRECTORY: this.#runtime };
    mkdirSync(this.store, { recursive: true });
    writeFileSync(
      this.#config,
      `store: { path: ${this.store} }
log: { level: warn }
broker:
  listeners: [{ address: 127.0.0.1, port: 0 }]
  persistence_window: ${window}
  limits: { queued_messages: 1000000, queued_bytes: 1GB, connections_per_address: 1000, connect_timeout: 60s }
`,
    );
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, "broker", "--config", this.#config], { env: this.#env });
    this.#child = child;
    child.stderr.on("data", (chunk) => (this.errors += chunk));
    for await (const line of createInterface(child.stdout)) {
      const found = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(line);
      if (found === null) continue;
      this.port = Number(found[1]);
      return;
    }
    throw new Error(`the broker ended:\n${this.errors}`);
  }

  signal(name: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(name);
  }

  async ended(): Promise<void> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, "exit");
    this.#child = undefined;
  }

  /** What is on the disk at this moment, as the store of a broker of its own. */
  copy(): BrokerProcess {
    const copy = new BrokerProcess("0s");
    for (const suffix of ["", "-wal"].filter((suffix) => existsSync(join(this.store, `broker.db${suffix}`))))
      cpSync(join(this.store, `broker.db${suffix}`), join(copy.store, `broker.db${suffix}`));
    return copy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.#runtime, { recursive: true, force: true });
  }
}
