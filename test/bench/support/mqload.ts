import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The load generator `test/bench/mqload.c`, built into `directory`. Its path. */
export function buildMqload(directory: string): string {
  const program = join(directory, "mqload");
  const source = join(import.meta.dirname, "../../../../test/bench/mqload.c");
  execFileSync("cc", ["-O2", "-o", program, source], { stdio: ["ignore", "inherit", "inherit"] });
  return program;
}

export interface MqloadFigures {
  readonly mode: string;
  /** Messages a second: deliveries, or acknowledgements where nobody subscribes. */
  readonly rate: number;
  /** CPU seconds of the broker per million of them. */
  readonly cpu_per_m: number;
  readonly rss_kb: number;
  readonly p50_us?: number;
  readonly p99_us?: number;
}

/** Runs it with its options (`{ port: 1883, mode: "ingest" }`). */
export async function mqload(
  program: string,
  options: Readonly<Record<string, string | number>>,
): Promise<MqloadFigures> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await promisify(execFile)(program, args);
  return JSON.parse(stdout);
}
