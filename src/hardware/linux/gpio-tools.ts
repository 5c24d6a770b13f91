import { execFile, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";
import { GatewayError } from "../../core/errors.ts";
import { interruptsOf } from "./edge-audit.ts";
import { systemFault } from "./errno.ts";
import { Pipe } from "./pipe.ts";

/** The programs of libgpiod: `gpiodetect`, `gpioget`, `gpiomon`, `gpioset`. */
export interface GpioTools {
  /** To its end. TOOL_MISSING where it is not installed. */
  run(tool: string, args: readonly string[]): Promise<ToolResult>;
  start(tool: string, args: readonly string[], options?: ToolOptions): RunningTool;
  /** How many interrupts the kernel has counted for a line that gpiomon holds; undefined where it does not tell. */
  interrupts(pin: number): Promise<number | undefined>;
}

export interface ToolResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  /** Its output is looked at this often, where every line at once would cost a waking each. */
  readonly batchMs?: number;
  onLine?(line: string): void;
}

export interface RunningTool {
  /** Has the kernel given it a line? */
  holdsLine(): Promise<boolean>;
  write(text: string): void;
  /** Resolves when it has ended, and all that it wrote was handed on. */
  readonly ended: Promise<Omit<ToolResult, "stdout">>;
  stop(): Promise<void>;
}

const RUN_WITHIN_MS = 10_000;
/** A line of theirs has some 40 characters. */
const LONGEST_LINE = 4096;
const KEPT_STDERR = 1000;

const env = () => ({ ...process.env, LC_ALL: "C" });

export const linuxGpioTools: GpioTools = {
  run: (tool, args) =>
    new Promise((resolve, reject) => {
      execFile(tool, args, { env: env(), timeout: RUN_WITHIN_MS }, (error, stdout, stderr) => {
        if (!error) return resolve({ code: 0, stdout, stderr });
        if (error.code === "ENOENT") return reject(new GatewayError("TOOL_MISSING", noTool(tool), { cause: error }));
        resolve({ code: typeof error.code === "number" ? error.code : null, stdout, stderr });
      });
    }),
  start,
  interrupts: async (pin) => interruptsOf(await readFile("/proc/interrupts", "utf8").catch(() => ""), pin),
};

function noTool(tool: string): string {
  return `there is no ${tool}: it comes with the package gpiod`;
}

/** Under `setpriv --pdeathsig` it does not outlive a `kill -9` of ours: it would hold its line against our successor. */
function start(tool: string, args: readonly string[], { batchMs = 0, onLine }: ToolOptions = {}): RunningTool {
  const pipe = batchMs > 0 ? Pipe.open() : undefined;
  const child = spawn("setpriv", ["--pdeathsig", "TERM", tool, ...args], {
    env: env(),
    stdio: ["pipe", pipe?.writeFd ?? "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr = `${stderr}${chunk}`.slice(-KEPT_STDERR);
  });
  // Who ends closes its input; that it ended is told below.
  child.stdin?.on("error", () => undefined);
  const split = lines(onLine ?? (() => undefined));
  child.stdout?.on("data", (chunk) => split(String(chunk)));
  const stopLooking = pipe && lookInto(pipe, batchMs, split);
  const ended = new Promise<Omit<ToolResult, "stdout">>((resolve) => {
    child.on("error", (error) => {
      stopLooking?.();
      resolve({ code: null, stderr: `setpriv: ${systemFault(error).name}` });
    });
    child.on("close", (code) => {
      stopLooking?.();
      resolve({ code, stderr: stderr.trim() });
    });
  });
  return {
    holdsLine: () => holdsLine(child.pid),
    write: (text) => child.stdin?.write(text),
    ended,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** Now and then, until what this gives is called: then for the last time. */
function lookInto(pipe: Pipe, batchMs: number, take: (text: string) => void): () => void {
  closeSync(pipe.writeFd);
  const timer = setInterval(() => take(pipe.read()), batchMs);
  return () => {
    clearInterval(timer);
    take(pipe.read());
    pipe.close();
  };
}

function lines(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const parts = `${rest}${chunk}`.split("\n");
    rest = (parts.pop() ?? "").slice(-LONGEST_LINE);
    for (const line of parts) onLine(line);
  };
}

/** Version 1 says nothing when it is ready; but the kernel gives each requested line a file of its own. */
async function holdsLine(pid: number | undefined): Promise<boolean> {
  const fds = `/proc/${pid}/fd`;
  const names = await readdir(fds).catch(() => []);
  const links = await Promise.all(names.map((name) => readlink(`${fds}/${name}`).catch(() => "")));
  return links.some((link) => /^anon_inode:\[?gpio-(event|line|linehandle)\b/.test(link));
}
