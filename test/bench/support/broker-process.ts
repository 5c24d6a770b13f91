import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const MAIN = join(import.meta.dirname, "../../../main.js");

/** `fieldpost broker` as a process with its default limits raised, on a store that outlives it. */
export class BrokerProcess implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "fieldpost-bench-"));
  readonly #config = join(this.directory, "broker.yaml");
  #child: ChildProcess | undefined;
  port = 0;

  constructor(window: string) {
    mkdirSync(join(this.directory, "store"));
    mkdirSync(join(this.directory, "run"));
    writeFileSync(
      this.#config,
      `store: { path: ${join(this.directory, "store")} }
log: { level: warn }
broker:
  listeners: [{ address: 127.0.0.1, port: 0 }]
  persistence_window: ${window}
  limits: { sessions: 20000, queued_messages: 10000000, queued_bytes: 1GB, retained_messages: 200000, retained_bytes: 200MB }
`,
    );
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Until it listens; how long that took. */
  async start(nodeOptions: readonly string[] = []): Promise<number> {
    const env = { ...process.env, RUNTIME_DIRECTORY: join(this.directory, "run") };
    const startedMs = performance.now();
    const child = spawn(process.execPath, [...nodeOptions, MAIN, "broker", "--config", this.#config], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    for await (const line of createInterface(child.stdout)) {
      const found = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(line);
      if (found === null) continue;
      this.port = Number(found[1]);
      return performance.now() - startedMs;
    }
    throw new Error("the broker ended");
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
  }
}
