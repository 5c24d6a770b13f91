import type { Clock, SyncState } from "../../src/core/clock.ts";
import type { Time } from "./time.ts";

/** The clocks of a machine without a real-time clock, over its lives. What is true is another matter: `trueMs`. */
export class MachineClock {
  readonly #time: Time;
  readonly #startedWallMs: number;
  #life = 0;
  #bootedMs = 0;
  #sleptMs = 0;
  #sleptBeforeBootMs = 0;
  /** What the wall clock is wrong by. */
  #errorMs: number;
  sync: SyncState;
  /** When this life was synced first, in simulated time. */
  #syncedMs: number | undefined;

  constructor(time: Time, startedWallMs: number, errorMs: number, sync: SyncState) {
    this.#time = time;
    this.#startedWallMs = startedWallMs;
    this.#errorMs = errorMs;
    this.sync = sync;
    if (sync === "synced") this.#syncedMs = time.nowMs;
  }

  /** When this life began, in simulated time. */
  get bootedMs(): number {
    return this.#bootedMs;
  }

  get syncedMs(): number | undefined {
    return this.#syncedMs;
  }

  get trueMs(): number {
    return this.#startedWallMs + this.#time.nowMs + this.#sleptMs;
  }

  /** NTP was heard. */
  correct(): void {
    this.#errorMs = 0;
    this.sync = "synced";
    this.#syncedMs ??= this.#time.nowMs;
  }

  /** Somebody sets the clock: the kernel no longer counts it as synced. */
  setBy(ms: number): void {
    this.#errorMs += ms;
    if (this.sync === "synced") this.sync = "unsynced";
  }

  /** Time that passes while nothing runs. */
  suspend(ms: number): void {
    this.#sleptMs += ms;
  }

  /** Another life, that begins with the time that was saved last, and wrong by as long as it was off. */
  reboot(offMs: number, hasTimeSource: boolean): void {
    this.#life += 1;
    this.#bootedMs = this.#time.nowMs;
    this.#sleptMs += offMs;
    this.#sleptBeforeBootMs = this.#sleptMs;
    this.#errorMs -= offMs;
    this.#syncedMs = undefined;
    this.sync = hasTimeSource ? "unsynced" : "none";
  }

  /** The clock as one process has it; once `dead`, nobody is woken any more. */
  ofProcess(): Clock & { kill(): void } {
    const time = this.#time;
    const boot = `00000000-0000-4000-8000-${String(this.#life).padStart(12, "0")}`;
    let dead = false;
    return {
      wallMs: () => this.trueMs + this.#errorMs,
      monoMs: () => 1000 + time.nowMs - this.#bootedMs + this.#sleptMs - this.#sleptBeforeBootMs,
      bootId: () => boot,
      syncState: () => this.sync,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason);
          const abort = () => {
            cancel();
            if (!dead) reject(signal?.reason);
          };
          const cancel = time.after(ms, () => {
            signal?.removeEventListener("abort", abort);
            if (!dead) resolve();
          });
          signal?.addEventListener("abort", abort, { once: true });
        }),
      kill() {
        dead = true;
      },
    };
  }
}
