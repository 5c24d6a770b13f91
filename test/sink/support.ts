import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openReadOnly } from "../../src/sqlite/database.ts";
import { MAIN } from "../support/gateway.ts";
import { waitFor } from "../support/mosquitto.ts";

export interface Kept {
  readonly epoch: number;
  readonly seq: number;
}

/** `fieldpost sink` as a process of its own, which can be killed and started again on its database. */
export interface SinkProcess extends AsyncDisposable {
  readonly database: string;
  start(): Promise<void>;
  stop(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  out(): string;
  /** What its database holds, in order. */
  kept(): Kept[];
}

export function sinkProcess(url: string, consumer: string): SinkProcess {
  const directory = mkdtempSync(join(tmpdir(), "fieldpost-sink-"));
  const database = join(directory, "sink.db");
  let child: ChildProcess | undefined;
  let output = "";
  const sink: SinkProcess = {
    database,
    async start() {
      output = "";
      const args = ["sink", "--url", url, "--consumer", consumer, "--database", database];
      const started = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
      child = started;
      started.stdout.on("data", (chunk) => (output += chunk));
      started.stderr.on("data", (chunk) => (output += chunk));
      await waitFor(
        () => {
          if (started.exitCode !== null) throw new Error(`the sink ended with ${started.exitCode}:\n${output}`);
          return output.includes("connected");
        },
        "the sink is connected",
        30_000,
      );
    },
    async stop(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
    out: () => output,
    kept() {
      const sql = openReadOnly(database);
      try {
        return sql.prepare<[], Kept>("SELECT epoch, seq FROM reading ORDER BY epoch, seq").all();
      } finally {
        sql.close();
      }
    },
    async [Symbol.asyncDispose]() {
      await sink.stop("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return sink;
}
