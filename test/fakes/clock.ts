import type { Clock, SyncState } from "../../src/core/clock.ts";

interface Sleeper {
  readonly dueMonoMs: number;
  wake(): void;
}

/** Simulated time: it moves only by `advance`, and whoever sleeps is woken in the order of the due times. */
export class FakeClock implements Clock {
  boot: string;
  sync: SyncState;
  #wallMs: number;
  #monoMs: number;
  readonly #sleepers: Sleeper[] = [];

  constructor(start: { wallMs?: number; monoMs?: number; boot?: string; sync?: SyncState } = {}) {
    this.#wallMs = start.wallMs ?? Date.parse("2026-01-01T00:00:00Z");
    this.#monoMs = start.monoMs ?? 1000;
    this.boot = start.boot ?? "00000000-0000-4000-8000-000000000001";
    this.sync = start.sync ?? "synced";
  }

  wallMs(): number {
    return this.#wallMs;
  }

  monoMs(): number {
    return this.#monoMs;
  }

  bootId(): string {
    return this.boot;
  }

  syncState(): SyncState {
    return this.sync;
  }

  /** Sets the wall clock as `date --set` would: monotonic time and sleepers do not notice. */
  setWallMs(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  /** Another life of the machine: a new boot id, and monotonic time from `monoMs` on. Sleepers belong to the old one. */
  reboot(boot: string, monoMs = 1000): void {
    this.boot = boot;
    this.#monoMs = monoMs;
    this.#sleepers.length = 0;
  }

  /** How many wait at this moment. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        const index = this.#sleepers.indexOf(sleeper);
        if (index >= 0) this.#sleepers.splice(index, 1);
        reject(signal?.reason);
      };
      const sleeper = {
        dueMonoMs: this.#monoMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Lets `ms` pass: wakes each sleeper at its time and lets it run (and sleep again) before time goes on. */
  async advance(ms: number): Promise<void> {
    const endMonoMs = this.#monoMs + ms;
    await turns();
    for (let next = this.#takeDue(endMonoMs); next; next = this.#takeDue(endMonoMs)) {
      this.#moveTo(next.dueMonoMs);
      next.wake();
      await turns();
    }
    this.#moveTo(endMonoMs);
    await turns();
  }

  /** The earliest sleeper due by then; of equal ones, who came first. */
  #takeDue(byMonoMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMonoMs <= byMonoMs && (!first || sleeper.dueMonoMs < first.dueMonoMs)) first = sleeper;
    }
    if (first) this.#sleepers.splice(this.#sleepers.indexOf(first), 1);
    return first;
  }

  #moveTo(monoMs: number): void {
    if (monoMs <= this.#monoMs) return;
    this.#wallMs += monoMs - this.#monoMs;
    this.#monoMs = monoMs;
  }
}

/** Two turns of the event loop: microtasks run to their end, and immediates that they queued do too. */
async function turns(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}
