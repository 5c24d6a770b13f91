import { readFileSync, statSync } from "node:fs";
import type { Clock } from "../core/clock.ts";

/** What is written to the disk a day, in bytes, over the last day at most. */
export interface Wear {
  /** By this process. */
  readonly ownBytesPerDay: number;
  /** By everybody, to the device that the store is on; absent where the kernel does not tell. */
  readonly diskBytesPerDay?: number;
}

/** Total bytes since the machine, or this process, began. */
export interface Written {
  readonly ownBytes: number;
  readonly diskBytes?: number;
}

interface Look extends Written {
  readonly monoMs: number;
}

const DAY_MS = 86_400_000;
const LOOK_PERIOD_MS = 600_000;
/** Before that, one commit would look like a gigabyte a day. */
const MIN_SPAN_MS = 60_000;
const SECTOR_BYTES = 512;

/** Says how much the disk is worn, from looks at counters that only grow. */
export class WearMeter {
  readonly #clock: Pick<Clock, "monoMs">;
  readonly #look: () => Written | undefined;
  #looks: Look[] = [];

  constructor(clock: Pick<Clock, "monoMs">, look: () => Written | undefined) {
    this.#clock = clock;
    this.#look = look;
    this.now();
  }

  /** Undefined in the first minute, and where the kernel does not tell. */
  now(): Wear | undefined {
    const written = this.#look();
    if (!written) return undefined;
    const look = { ...written, monoMs: this.#clock.monoMs() };
    this.#looks = this.#looks.filter(({ monoMs }) => look.monoMs - monoMs <= DAY_MS);
    if (look.monoMs - (this.#looks.at(-1)?.monoMs ?? Number.NEGATIVE_INFINITY) >= LOOK_PERIOD_MS)
      this.#looks.push(look);
    const [first = look] = this.#looks;
    const spanMs = look.monoMs - first.monoMs;
    if (spanMs < MIN_SPAN_MS) return undefined;
    const perDay = (before: number, after: number) => Math.round(((after - before) / spanMs) * DAY_MS);
    return {
      ownBytesPerDay: perDay(first.ownBytes, look.ownBytes),
      ...(first.diskBytes !== undefined &&
        look.diskBytes !== undefined && { diskBytesPerDay: perDay(first.diskBytes, look.diskBytes) }),
    };
  }
}

/** As the kernel counts: proc(5), /proc/pid/io, `write_bytes` (nothing of tmpfs); Documentation/block/stat.rst. */
export function writtenBytes(directory: string): Written | undefined {
  const io = textOf("/proc/self/io");
  const own = io?.match(/^write_bytes: (\d+)$/m)?.[1];
  if (own === undefined) return undefined;
  const disk = textOf(`/sys/dev/block/${deviceOf(directory)}/stat`)
    ?.trim()
    .split(/\s+/)[6];
  return { ownBytes: Number(own), ...(disk !== undefined && { diskBytes: Number(disk) * SECTOR_BYTES }) };
}

/** makedev(3): how the kernel packs major and minor. */
function deviceOf(directory: string): string {
  try {
    const { dev } = statSync(directory);
    return `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  } catch {
    return "";
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
