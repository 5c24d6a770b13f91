import { spawn } from "node:child_process";
import { join } from "node:path";

const VIRTUAL_PI = join(import.meta.dirname, "virtual-pi");

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  /** Its stdin. */
  readonly input?: string;
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Calls the virtual-pi command. */
export function virtualPi(args: readonly string[], { input = "", env = {} }: CallOptions = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(VIRTUAL_PI, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    // Who does not read stdin closes it early.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** A shell command in the guest, as root, whatever it exits with. */
export const attempt = (command: string): Promise<Result> => virtualPi(["run", command]);

/** A shell command in the guest, as root: its stdout. Throws when it fails. */
export async function run(command: string): Promise<string> {
  const { code, stdout, stderr } = await attempt(command);
  if (code !== 0) throw new Error(`exit ${code} of: ${command}\n${stdout}${stderr}`);
  return stdout.trim();
}

export async function writeFile(path: string, text: string): Promise<void> {
  const { code, stderr } = await virtualPi(["run", `mkdir -p "$(dirname '${path}')" && cat > '${path}'`], {
    input: text,
  });
  if (code !== 0) throw new Error(`${path}: ${stderr}`);
}

export const writeJson = (path: string, value: unknown): Promise<void> => writeFile(path, JSON.stringify(value));

/** A chip on /dev/i2c-1, by its hexadecimal address (README.md beside this file). */
export interface ChipModel {
  readonly regs?: Readonly<Record<string, string | readonly string[]>>;
  /** Each register has its own width. */
  readonly wide?: boolean;
  /** Longest prefix of what is written -> what the next read returns. */
  readonly cmds?: Readonly<Record<string, string | readonly string[]>>;
  readonly nak?: boolean;
  readonly hang?: boolean;
  readonly delayMs?: number;
  /** Each so-many-th transfer is a NACK. */
  readonly failEvery?: number;
  readonly err?: number;
}

/** Pulls the plug, plugs it in again, and waits until the guest is up. What was in /run is gone. */
export async function powerCycle(env: Readonly<Record<string, string>> = {}): Promise<void> {
  await virtualPi(["power-cut"]);
  const { code, stderr } = await virtualPi(["boot"], { env });
  if (code !== 0) throw new Error(stderr);
}

/** Puts these chips on /dev/i2c-1, and no others. Renamed into place: a half-written file is never read. */
export async function wire(chips: Readonly<Record<string, ChipModel>>): Promise<void> {
  await writeJson("/run/vi2c.json.new", chips);
  await run("mv /run/vi2c.json.new /run/vi2c.json");
}

/** Temperature of a virtual DS18B20 (0 or 1), degrees Celsius. */
export const warm = (sensor: number, celsius: number) => run(`vpi w1 ${sensor} ${Math.round(celsius * 1000)}`);

/** Drives a GPIO line from outside. */
export const drive = (line: number, level: 0 | 1) => run(`vpi gpio ${line} ${level}`);

/** A command that runs in the guest until disposed of, and its lines. */
export interface Stream extends AsyncDisposable {
  readonly lines: readonly string[];
  /** The first line, of those that came or come, that matches. Throws after `timeoutMs`, with all the lines. */
  line(matches: (line: string) => boolean, timeoutMs: number): Promise<string>;
}

let streams = 0;

/** `command` ends in an `exec`: the signal that ends it goes to the shell's pid. */
export function stream(command: string): Stream {
  // By its pid in the guest: ending our end of the connection would leave it running there.
  const pidFile = `/run/stream-${process.pid}-${++streams}`;
  const child = spawn(VIRTUAL_PI, ["run", `echo $$ > ${pidFile}; ${command}`], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const arrivals = new EventTarget();
  let rest = "";
  const take = (chunk: Buffer) => {
    const parts = `${rest}${chunk}`.split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    arrivals.dispatchEvent(new Event("line"));
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  return {
    lines,
    line: (matches, timeoutMs) =>
      new Promise((resolve, reject) => {
        let seen = 0;
        const finish = () => {
          clearTimeout(timer);
          arrivals.removeEventListener("line", look);
        };
        const look = () => {
          for (; seen < lines.length; seen++) {
            const line = lines[seen] ?? "";
            if (!matches(line)) continue;
            finish();
            resolve(line);
            return;
          }
        };
        const timer = setTimeout(() => {
          finish();
          reject(new Error(`nothing of the kind in ${timeoutMs} ms from: ${command}\n${lines.slice(-40).join("\n")}`));
        }, timeoutMs);
        arrivals.addEventListener("line", look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) await attempt(`kill $(cat ${pidFile})`);
      await closed;
    },
  };
}

/** Asks again until it is so; the world outside (an emulated Pi) has no event to wait for. */
export async function eventually<T>(ask: () => Promise<T | undefined>, timeoutMs: number, what: string): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
