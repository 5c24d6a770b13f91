import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const IMAGE_BYTES = 24 * 1024 * 1024;

/** What the disk was told: a write with its bytes, or a flush (without bytes), in order. */
export interface DiskEvent {
  readonly ns: bigint;
  readonly offset: number;
  readonly bytes?: Buffer;
}

export function canCutPower(): boolean {
  const flags = spawnSync("pkg-config", ["fuse3", "--cflags"]);
  return process.getuid?.() === 0 && existsSync("/dev/fuse") && flags.status === 0;
}

const compile = (source: string, to: string, ...flags: string[]) =>
  execFileSync("cc", ["-O1", "-Wall", "-o", to, join(import.meta.dirname, source), ...flags]);

/** An ext4 on a disk that logs what it is told. */
export class CutDisk {
  readonly directory = mkdtempSync("/dev/shm/fieldpost-cut-");
  readonly mount = join(this.directory, "mounted");
  readonly noSync = join(this.directory, "no-sync.so");
  readonly #base = join(this.directory, "base.img");
  readonly #log = join(this.directory, "log");
  readonly #cutfs = join(this.directory, "cutfs");
  readonly #state = join(this.directory, "state.img");
  #daemon: ChildProcess | undefined;
  #image = Buffer.alloc(0);
  #applied = 0;

  constructor() {
    const flags = execFileSync("pkg-config", ["fuse3", "--cflags", "--libs"], { encoding: "utf8" }).trim().split(/\s+/);
    compile("cutfs.c", this.#cutfs, ...flags);
    compile("no-sync.c", this.noSync, "-shared", "-fPIC");
    mkdirSync(this.mount);
    mkdirSync(join(this.directory, "fuse"));
    writeFileSync(this.#base, Buffer.alloc(IMAGE_BYTES));
    execFileSync("mkfs.ext4", ["-q", "-F", this.#base]);
  }

  /** Mounts it, lets `work` write to it, and returns what the disk was told meanwhile. */
  async record(work: (mount: string) => Promise<void>): Promise<DiskEvent[]> {
    const backing = join(this.directory, "backing.img");
    writeFileSync(backing, readFileSync(this.#base));
    this.#daemon = spawn(this.#cutfs, [backing, this.#log, join(this.directory, "fuse")], { stdio: "inherit" });
    const disk = join(this.directory, "fuse/disk.img");
    for (let n = 0; !existsSync(disk); n++) {
      if (n > 500) throw new Error("the FUSE disk did not come");
      await sleep(20);
    }
    execFileSync("mount", ["-o", "loop,noatime", disk, this.mount]);
    try {
      await work(this.mount);
    } finally {
      execFileSync("umount", [this.mount]);
      execFileSync("fusermount3", ["-u", join(this.directory, "fuse")]);
      await once(this.#daemon, "exit");
    }
    this.#image = readFileSync(this.#base);
    this.#applied = 0;
    return eventsOf(readFileSync(this.#log));
  }

  /**
   * Mounts what a power cut after event `at` leaves, for `work`: everything up to the last flush, and of what came after
   * it what `survives` says. To be called with ascending `at`.
   */
  async after(
    events: readonly DiskEvent[],
    at: number,
    survives: (event: DiskEvent) => Buffer | undefined,
    work: (mount: string) => Promise<void>,
  ): Promise<void> {
    let flushed = at;
    while (flushed > this.#applied && events[flushed]?.bytes) flushed--;
    for (; this.#applied < flushed; this.#applied++) {
      const event = events[this.#applied];
      event?.bytes?.copy(this.#image, event.offset);
    }
    const state = Buffer.from(this.#image);
    for (const event of events.slice(this.#applied, at + 1)) survives(event)?.copy(state, event.offset);
    writeFileSync(this.#state, state);
    execFileSync("mount", ["-o", "loop,noatime", this.#state, this.mount]);
    try {
      await work(this.mount);
    } finally {
      execFileSync("umount", [this.mount]);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const HEAD_BYTES = 24;

function eventsOf(log: Buffer): DiskEvent[] {
  const events: DiskEvent[] = [];
  for (let at = 0; at + HEAD_BYTES <= log.length; ) {
    const isWrite = log.readUInt32LE(at) === 1;
    const bytes = log.readUInt32LE(at + 4);
    const [offset, ns] = [Number(log.readBigUInt64LE(at + 8)), log.readBigUInt64LE(at + 16)];
    at += HEAD_BYTES;
    events.push({ ns, offset, ...(isWrite && { bytes: log.subarray(at, at + bytes) }) });
    if (isWrite) at += bytes;
  }
  return events;
}
