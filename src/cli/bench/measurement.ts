import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { OutboxRecord } from "../../core/reading.ts";
import { openStore } from "../../store/open-store.ts";
import type { Store } from "../../store/store.ts";
import type { Scratch } from "./scratch.ts";

/** Name -> what was measured, the unit at the name's end. */
export type Figures = Readonly<Record<string, number>>;

export interface Measuring {
  readonly scratch: Scratch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };
export const silent = quiet;

export const DEVICE = "bench";
const MAX_BYTES = 1024 ** 3;

/** A store of its own, as the gateway opens one. */
export function scratchStore({ scratch, clock }: Measuring, name: string): Promise<Store> {
  const options = {
    path: `${scratch.disk}/${name}`,
    stagingPath: `${scratch.memory}/${name}`,
    commitWindowMs: 5000,
    maxBytes: MAX_BYTES,
    whenFull: "drop_oldest",
  } as const;
  return openStore(options, { clock, log: silent });
}

/** What a climate sensor gives; no two alike, so that compression has as much to do as with true ones. */
export function sampleReading(clock: Clock, n: number): OutboxRecord {
  const temperature = Math.round((20 + 5 * Math.sin(n / 50) + (n % 7) / 100) * 100) / 100;
  const humidity = Math.round((50 + 20 * Math.cos(n / 70) + (n % 5) / 10) * 10) / 10;
  const at = { boot: clock.bootId(), monoMs: Math.round(clock.monoMs()) };
  return { kind: "reading", device: DEVICE, at, values: { temperature, humidity } };
}

export function perSecond(count: number, ms: number): number {
  return Math.round((count * 1000) / Math.max(ms, 0.001));
}

/** The smallest value that a share of them does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
