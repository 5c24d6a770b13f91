import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { waitFor } from "../support/mosquitto.ts";

/** A consumer's program, which can be ended and started again. */
export interface Program extends AsyncDisposable {
  /** Resolves once it is ready. */
  start(): Promise<void>;
  stop(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** What it has said since its start. */
  output(): string;
}

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly isReady: (output: string) => boolean | Promise<boolean>;
}

/** Node-RED takes ten seconds, on a machine that has nothing else to do. */
const START_MS = 240_000;

export function program(command: readonly [string, ...string[]], { isReady, ...options }: ProgramOptions): Program {
  const [file, ...args] = command;
  let child: ChildProcess | undefined;
  let output = "";
  const self: Program = {
    async start() {
      output = "";
      const started = spawn(file, args, { ...options, env: { ...process.env, ...options.env } });
      child = started;
      for (const stream of [started.stdout, started.stderr]) stream.on("data", (chunk) => (output += chunk));
      await waitFor(
        async () => {
          if (started.exitCode !== null) throw new Error(`${file} ended with ${started.exitCode}:\n${output}`);
          return await isReady(output);
        },
        `${file} is ready`,
        START_MS,
      );
    },
    async stop(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
    output: () => output,
    [Symbol.asyncDispose]: () => self.stop("SIGKILL"),
  };
  return self;
}
