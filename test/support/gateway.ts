import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "./mosquitto.ts";

/** The built program. */
export const MAIN = join(import.meta.dirname, "../../dist/main.js");

/** It takes a second, on a machine that has nothing else to do; minutes under `nice` on one that has. */
const START_MS = 240_000;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A gateway's directory and its command line: the built program, as a user runs it. */
export interface Gateway extends AsyncDisposable {
  readonly directory: string;
  readonly configFile: string;
  /** Replaces the configuration; the store and the runtime directory are this gateway's own. */
  configure(yaml: string): void;
  /** Starts `fieldpost run` and resolves once it says that it is running. */
  run(): Promise<void>;
  readonly out: () => string;
  readonly err: () => string;
  signal(name: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL"): void;
  /** Resolves with the exit code of the running service, null when a signal ended it. */
  exited(): Promise<number | null>;
  /** Runs another command to its end. */
  command(...args: string[]): Promise<Finished>;
}

/** `extra`: added to its environment. */
export function createGateway(extra: NodeJS.ProcessEnv = {}): Gateway {
  const directory = mkdtempSync(join(tmpdir(), "fieldpost-"));
  const configFile = join(directory, "fieldpost.yaml");
  const env = { ...process.env, RUNTIME_DIRECTORY: join(directory, "run"), NO_COLOR: "1", ...extra };
  let child: ChildProcess | undefined;
  let output = "";
  let errors = "";

  const gateway: Gateway = {
    directory,
    configFile,
    configure: (yaml) => writeFileSync(configFile, `store: { path: ${join(directory, "store")} }\n${yaml}`),
    async run() {
      const started = spawn(process.execPath, [MAIN, "run", "--config", configFile], { env });
      child = started;
      output = "";
      started.stdout.on("data", (chunk) => (output += chunk));
      started.stderr.on("data", (chunk) => (errors += chunk));
      await waitFor(
        () => {
          const ended = started.exitCode ?? started.signalCode;
          if (ended !== null) throw new Error(`the gateway ended with ${ended}:\n${errors}`);
          return output.includes("fieldpost is running");
        },
        "the gateway is running",
        START_MS,
      );
    },
    out: () => output,
    err: () => errors,
    signal: (name) => void child?.kill(name),
    async exited() {
      if (!child) return null;
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      return child.exitCode;
    },
    command: (...args) => runCommand([...args, "--config", configFile], env),
    async [Symbol.asyncDispose]() {
      child?.kill("SIGKILL");
      await gateway.exited();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return gateway;
}

/** `fieldpost ARGS` to its end. */
export async function runCommand(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, err };
}
