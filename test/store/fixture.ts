import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../../src/core/log.ts";
import type { OutboxRecord, StoredRecord } from "../../src/core/reading.ts";
import { openReadOnly } from "../../src/sqlite/database.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { StoreOptions } from "../../src/store/options.ts";
import type { Store } from "../../src/store/store.ts";
import { FakeClock } from "../fakes/clock.ts";

export const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, part: () => quiet };

/** A card and a tmpfs, as directories; `powerCut` and `crash` give what a next start would find. */
export class Machine implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), "fieldpost-store-"));
  #images = 0;
  clock = new FakeClock();
  path = this.#directory("card");
  staging = this.#directory("shm");

  options(overrides: Partial<StoreOptions> = {}): StoreOptions {
    return {
      path: this.path,
      stagingPath: this.staging,
      commitWindowMs: 5000,
      maxBytes: 1024 ** 3,
      whenFull: "drop_oldest",
      ...overrides,
    };
  }

  open(overrides: Partial<StoreOptions> = {}): Promise<Store> {
    return openStore(this.options(overrides), { clock: this.clock, log: quiet });
  }

  /** Reopens as after `kill -9` at this moment; the store that runs goes on with its own files, unheeded. */
  async crash(running: Store): Promise<void> {
    this.#image(true);
    await running[Symbol.asyncDispose]();
    this.#adopt();
  }

  /** As after a power cut: tmpfs is empty, and it is another life of the machine. */
  async powerCut(running: Store): Promise<void> {
    this.#image(false);
    await running[Symbol.asyncDispose]();
    this.#adopt();
    this.reboot();
  }

  reboot(): void {
    this.clock.setWallMs(this.clock.wallMs() + 60_000);
    this.clock.reboot(`00000000-0000-4000-8000-${String(Math.random()).slice(2, 14).padEnd(12, "0")}`);
  }

  /** Lets simulated time pass, with room for the worker's real one, until it has come about. */
  async passUntil(condition: () => boolean): Promise<void> {
    for (let turn = 0; !condition(); turn++) {
      if (turn > 2000) throw new Error("it did not come");
      await this.clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** One value of the database, as another process sees it. */
  query(sql: string): unknown {
    const database = openReadOnly(join(this.path, "store.db"));
    try {
      return database.prepare(sql).pluck().get();
    } finally {
      database.close();
    }
  }

  reading(value: number, device = "probe"): OutboxRecord {
    const at = { boot: this.clock.bootId(), monoMs: this.clock.monoMs() };
    return { kind: "reading", device, values: { n: value }, at };
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** A copy of the files: the database first, so that its WAL is never older than itself. */
  #image(withStaging: boolean): void {
    this.#images += 1;
    const card = this.#directory(`card${this.#images}`);
    const shm = this.#directory(`shm${this.#images}`);
    for (const name of ["store.db", "store.db-wal"]) {
      if (existsSync(join(this.path, name))) cpSync(join(this.path, name), join(card, name));
    }
    if (withStaging && existsSync(this.staging)) cpSync(this.staging, shm, { recursive: true });
  }

  #adopt(): void {
    this.path = join(this.#root, `card${this.#images}`);
    this.staging = join(this.#root, `shm${this.#images}`);
  }

  #directory(name: string): string {
    const path = join(this.#root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}

/** Everything that waits, read as a drain would. */
export async function pendingOf(store: Store, limit = 7): Promise<StoredRecord[]> {
  const all: StoredRecord[] = [];
  for (let position = store.outbox.cursor("mqtt"); ; ) {
    const some = await store.outbox.after(position, limit);
    all.push(...some);
    const last = some.at(-1);
    if (!last) return all;
    position = last.position;
  }
}

export function numbersOf(records: readonly StoredRecord[]): number[] {
  return records.map(({ record }) => Number(record.values.n));
}

/** Waits for what a worker thread does in real time. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 2000) throw new Error("it did not come");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Tests that mount file systems need to be allowed to. */
export function canMount(): boolean {
  try {
    execFileSync("/usr/bin/unshare", ["--mount", "true"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}
